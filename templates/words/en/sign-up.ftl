sign-up-title = Create an account
sign-up-lead = You will get an e-mail to prove that the address is yours.
sign-up-invited = You were invited. Choose a name and a password.
sign-up-name = Your name
sign-up-email = E-mail address
sign-up-email-hint = You will sign in with it. We send a link there.
sign-up-submit = Create account
sign-up-known = Do you have an account already?
sign-up-sign-in = Sign in
sign-up-link = Create an account
sign-up-bad-name = Please type your name: one line of at most 200 characters.
sign-up-bad-email = This is not an e-mail address. Please check it, for example: ada@example.org
sign-up-taken = Somebody signs in with this address already. Please sign in, or set a new password.
sign-up-too-many = Too many e-mails were asked for. Please wait { $wait }, then try again.
sign-up-busy = Many people are signing in right now. Please try again in a moment.

password-choose = Choose a password
password-choose-new = New password
password-hint = At least 12 characters. A few words that do not belong together are easy to remember and hard to guess. Spaces are welcome, and so is a password manager.
password-too-short = The password is too short. It needs at least 12 characters.
password-too-long = The password is too long. It may have at most 1,024 bytes.
password-common = Many people have used this password, and attackers try it first. Please choose another one.
password-personal = This password is made of your name or your address, which others know. Please choose another one.
password-keyboard = A row of keys is easy to guess. Please take a few words that do not belong together.
password-repeated = Repeating something hardly makes it harder to guess. Please add other words.
password-sequence = A sequence such as abc or 6543 is easy to guess. Please add other words.
password-date = Dates and years are easy to guess. Please add other words.
password-guessable = This password is easy to guess. Please add one or two words that do not belong together.

check-mail-title = Check your e-mail
check-mail-sign-up = We have sent an e-mail to { $to }. Open the link in it to go on.
check-mail-forgot = If there is an account for { $to }, we have sent an e-mail to its e-mail address. Open the link in it to choose a new password.
check-mail-hint = It may take a few minutes. If nothing comes, look into the folder for spam, or have it sent again.
check-mail-again = Send it again
check-mail-sent-again = We have sent it again. Only the link in the newest e-mail works.
check-mail-done = Did you open the link on another device?

confirm-title = Confirm your address
confirm-lead = Is { $email } your e-mail address, and did you ask for an account here?
confirm-why = You began in another browser. Please type the password that you chose there.
confirm-button = Yes, create the account
link-not-you = If this was not you, close this page. Nothing happens then.
link-wrong-password = The password is wrong. Please try again.

verify-title = Confirm your new address
verify-lead = Shall { $email } be the e-mail address of your account?
verify-why = Please type the password of this account, to show that it is yours.
verify-button = Yes, this is my address
verify-done-title = Your address is confirmed
verify-done-text = From now on you can sign in with it, and our e-mails go there.
verify-done-label = Go to your account

revert-title = Take the change back
revert-lead = Shall { $email } be the e-mail address of your account again?
revert-button = Yes, take it back
revert-done-title = You have your old address again
revert-done-text = Everybody was signed out of your account. We have sent you an e-mail with a link: please choose a new password with it now.
revert-done-label = Go to sign-in

forgot-title = Set a new password
forgot-lead = Tell us who you are, and we send a link to your e-mail address.
forgot-name = Username or e-mail address
forgot-submit = Send the link
forgot-back = Back to sign-in
forgot-link = Forgot your password?
forgot-nobody = Please type your username or your e-mail address.

reset-title = Choose a new password
reset-lead = for { $name }
reset-submit = Set the password
reset-everywhere = You will be signed out everywhere.
reset-done-title = Your password was changed
reset-done-text = You were signed out everywhere. Please sign in with the new password.
reset-done-label = Sign in

email-title = E-mail address
email-current = Your address
email-none = none
email-state = State
email-verified = confirmed
email-unverified = not confirmed yet
email-verify = Send me a link to confirm it
email-change = Change it
email-how = We send a link to the new address. The old one stays until you open it, and gets an e-mail then.
email-new = New e-mail address
email-submit = Send the link
email-sent = We have sent an e-mail to { $email }. Open the link in it to confirm the address.

change-password-title = Password
change-password-how = All other devices will be signed out.
change-password-current = Current password
change-password-submit = Change the password
change-password-done = Your password was changed. All other devices were signed out.
change-password-wrong = The current password is wrong. Please try again.
