key-title = Use your key
key-hint = Use the passkey or security key that you added: a phone, a computer or a small device that you plug in or hold to your phone.
key-use = Use my key
key-failed = This did not work, or you stopped it. You can try again.
key-wrong = This key did not work here. Please try again, or use another way.
key-no-script = Keys need JavaScript, which is switched off in your browser. Everything else works without it.
key-name = Name
key-name-hint = So that you know it again, for example “My phone”.
key-name-wrong = Please give it a name of at most 100 letters.
key-taken = This key was added before.
key-too-many = You have as many keys as anybody may have. Please remove one first.
key-unavailable = Keys cannot be used at this address.
passkey-sign-in = Sign in with a passkey
passkey-wrong = This passkey did not work here. Please try again, or sign in with your password.
passkey-add = Add a passkey
passkey-about = A passkey is on your phone, your computer or a security key. It asks for your finger, your face or a PIN, so you need no password with it.

ways-title = Other ways
way-code = Use a code from your authenticator app
way-key = Use a passkey or security key
way-recovery = Use a recovery code

recovery-title = Use a recovery code
recovery-code = Recovery code
recovery-hint = One of the codes that you printed or saved. Each of them works once.
recovery-wrong = The code is wrong, or was used before. Please take another one.
recovery-codes-title = Your recovery codes
recovery-codes-lead = If you lose your phone or your key, one of these codes lets you in instead. Each of them works once.
recovery-codes-keep = They are shown only now. Print this page or save the file, and keep it in a safe place.
recovery-codes-download = Save as a file
recovery-codes-file = recovery-codes.txt

totp-setup-title = With an authenticator app
totp-setup-install = Get an authenticator app on your phone, if you have none yet.
totp-setup-scan = In the app, add an account, and point the camera at this picture.
totp-setup-picture = QR code with the secret for your authenticator app. The same secret stands below as text.
totp-setup-link = Or open your app with this link, if it is on this device
totp-setup-type = Or type this into the app:
totp-setup-submit = Check and turn on
totp-setup-wrong = The code is wrong. Please look at your app again: it shows a new code every 30 seconds.

factor-over = This page took too long, or was used before. Please try again.
factor-last = Your organization asks for a second step. Please add another one first; then you can remove this one.
factor-unknown = There is no such entry any more.

enrol-title = Add a second step
enrol-lead = Your password was right, { $name }. A second step is required here, and you have none yet. Add one now; next time you only use it.
enrol-key-title = Or with a passkey
enrolled-title = Your second step is on
enrolled-lead = From now on you need it whenever you sign in.
enrolled-next = I saved the codes, go on

factors-title = Second factors
factors-lead = With a second step, a stolen password is not enough to sign in as you.
factors-required = Your organization asks for a second step. You can change yours, but one has to stay.
factors-app = Authenticator app
factors-app-about = An app on your phone shows a new code every 30 seconds, which you type after your password.
factors-app-add = Set up an authenticator app
factors-app-since = On since { $date }.
factors-app-replace = Replace it, for example on a new phone
factors-app-remove = Remove the authenticator app
factors-app-replaces = The app that you have now stops working as soon as the new one is turned on.
factors-back = Back without changing anything
factors-keys = Passkeys and security keys
factors-key-added = Added on { $date }.
factors-key-used = Last used on { $date }.
factors-key-unused = Not used yet.
factors-key-rename = Rename
factors-key-rename-this = Rename { $name }
factors-key-remove = Remove
factors-key-remove-this = Remove { $name }
factors-second-keys = A security key without a PIN
factors-second-keys-about = Older keys that you only touch. They are used after your password.
key-add = Add a security key
key-kind-passkey = Passkey: signs you in without a password
key-kind-second = Security key: used after the password
factors-codes-left = { $number ->
    [0] You have no recovery codes.
    [one] One code is left.
   *[other] { $number } codes are left.
}
factors-codes-new = Make ten new codes
factors-codes-void = The codes of before stop working then.
factors-codes-done = I saved them
