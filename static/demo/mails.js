// Shows the letters that the demo's server wrote.

const $ = (id) => document.getElementById(id);
let shown = "";

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// The text of a letter, its links to be clicked.
function body(text) {
  const made = element("p", "", "letter");
  for (const word of text.split(/(\s+)/)) {
    if (/^https?:\/\//.test(word)) {
      const link = element("a", word);
      link.href = word;
      link.rel = "noopener";
      made.append(link);
    } else {
      made.append(word);
    }
  }
  return made;
}

async function show() {
  const answer = await (await fetch("/mails.json")).text();
  if (answer === shown) return;
  shown = answer;
  const { mails } = JSON.parse(answer);
  $("none").hidden = mails.length > 0;
  $("mails").replaceChildren(...mails.map((mail, at) => {
    const letter = document.createElement("article");
    letter.id = `mail-${at}`;
    letter.append(
      element("h2", mail.subject),
      element("p", `To ${mail.to}, ${mail.date}`, "small"),
      body(mail.text),
    );
    return letter;
  }));
}

show();
setInterval(show, 1000);
