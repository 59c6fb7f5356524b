"""The Python SDK phc as its users drive it: lists, creates, changes, deletes, refreshes.

Arguments: where the server is, an access token that is over, a refresh token, the account, and what
else there is: "change" and "delete".
"""

import sys

import jwt
from phc import Session
from phc.adapter import Adapter
from phc.easy import Auth, Project
from phc.services import Accounts, Projects

base, token, refresh_token, account, *more = sys.argv[1:]


def session():
    made = Session(token=token, refresh_token=refresh_token, account=account)
    made.api_url = f"{base}/v1/"
    return made


class Here(Adapter):
    """The documented way to another host: an adapter of one's own."""

    async def send(self, *, http_verb, api_url, req_args, trust_env, timeout):
        path = api_url.split(".lifeomic.com", 1)[1]
        return await super().send(
            http_verb=http_verb,
            api_url=base + path,
            req_args=req_args,
            trust_env=trust_env,
            timeout=timeout,
        )


first = session()
assert first.is_expired()
accounts = Accounts(first).get_list().data["accounts"]
assert account in [one["id"] for one in accounts], accounts

# The session has been refreshed, and holds what came with that.
assert not first.is_expired() and first.token != token
token, refresh_token = first.token, first.refresh_token
assert jwt.decode(token, options={"verify_signature": False})["client_id"] == "sdk"

projects = Projects(first)
made = projects.create("From Python", "By the SDK").data
assert made["name"] == "From Python" and made["description"] == "By the SDK", made
assert projects.get(made["id"]).data["id"] == made["id"]
name = "From Python"
if "change" in more:
    name = "From Python again"
    changed = projects.update(made["id"], name, "Changed")
    assert changed["name"] == name, changed

seen, page = [], None
while True:
    answer = projects.get_list(page_size=1, next_page_token=page).data
    seen += [one["name"] for one in answer["items"]]
    following = answer["links"].get("next")
    if not following:
        break
    page = following.split("nextPageToken=")[1].split("&")[0]
assert name in seen and len(seen) == len(set(seen)) > 1, seen
named = projects.get_list(name="From Python").data["items"]
assert [one["id"] for one in named] == [made["id"]], named

Auth.set({"account": account, "token": token, "adapter": Here()})
frame = Project.get_data_frame()
assert name in list(frame.name), frame

if "delete" in more:
    assert projects.delete(made["id"]) is True
print("done")
