signed-in-as = You are signed in as { $user }.
app-of = an app of { $account }
app-developing = in development
app-developing-note = This app is still being developed. Allow it only if you take part in testing it.
app-message = It shows the message { $message }.

consent-page = Allow { $app }?
consent-title = Allow this app to act for you?
consent-nothing = It asks only to know that you have signed in.
consent-wishes = It will be able to
consent-details = In detail, for this one occasion
consent-allow = Allow
consent-deny = Do not allow
consent-fine = What it can reach depends on your own rights, too: it never sees more than you do.

# What a scope lets an app do: the end of "It will be able to".
wish-openid = Know who you are
wish-profile = See your profile: name, username and what else you tell of yourself
wish-email = See your e-mail address
wish-phone = See your phone number
wish-address = See your postal address
wish-offline-access = Stay connected while you are away
wish-account-read = See the accounts you are a member of
wish-group-read = See the groups of an account
wish-policy-read = See the access policies of an account
wish-policy-write = Change the access policies of an account
wish-project-read = See your projects
wish-project-write = Create and change projects
wish-other = Use “{ $scope }”

approvals-title = Waiting for your answer
approvals-none = Nothing waits for you. If an app has just asked you, reload this page in a moment.
approvals-fine = Allow only what you began yourself, just now, and only if the message is the one that the app shows you.

device-title = Connect a device
device-lead = Type the code that your device shows.
device-code = Code
device-continue = Continue
device-fine = Go on only if you have the device before you. Nobody from support will ever send you a code.
device-wrong = This code is wrong, or too old. Please look at your device, and try again.
device-confirm-page = Allow { $app } on your device?
device-confirm-title = Allow this app on your device?
device-confirm-lead = You are signed in as { $user }. The device shows the code { $code }.
device-confirm-fine = Allow it only if you began this on a device of your own, just now. If somebody sent you the code, do not.
device-done-page = Device connected
device-done-title = Your device is connected
device-done-lead = You can go back to it, and close this page.
device-refused-page = Device not connected
device-refused-title = Your device is not connected
device-refused-lead = It gets nothing. You can close this page.

select-account-title = Choose an account
select-account-lead = to go on to { $app }
select-account-current = Continue
select-account-another = Use another account

form-post-title = Going back to the app
form-post-lead = If nothing happens, go on by yourself.
form-post-continue = Continue
