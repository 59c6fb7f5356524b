// Shows the current codes of the demo's users.

const $ = (id) => document.getElementById(id);

function cell(label, text, className) {
  const cell = document.createElement("td");
  cell.dataset.label = label;
  const inner = document.createElement(className ? "code" : "span");
  inner.textContent = text;
  if (className) inner.className = className;
  cell.append(inner);
  return cell;
}

async function show() {
  const { people, seconds_left: secondsLeft } = await (await fetch("/codes.json")).json();
  $("people").replaceChildren(...people.map((person) => {
    const row = document.createElement("tr");
    row.id = `user-${person.username}`;
    row.append(
      cell("User", person.username, "plain"),
      cell("Password", person.password, "plain"),
      cell("Code", person.code, "otp"),
      cell("Who", person.about),
    );
    return row;
  }));
  $("seconds-left").textContent = String(secondsLeft);
}

show();
setInterval(show, 1000);
