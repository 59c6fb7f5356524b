sign-in-title = Sign in
sign-in-for-app = to go on to { $app }, an app of { $account }
sign-in-alone = with your account
sign-in-username = Username
sign-in-name = Username or e-mail address
sign-in-password = Password
sign-in-submit = Sign in
sign-in-cancel = Cancel and go back to the app
sign-in-wrong = Username or password is wrong. Please try again.
sign-in-busy = Many people are signing in right now. Please try again in a moment.
sign-in-too-long = The name is too long.
sign-in-too-many = Too many wrong attempts. Please wait { $wait }, then try again.
sign-in-wait-seconds = { $seconds ->
    [one] a second
   *[other] { $seconds } seconds
}
sign-in-wait-minutes = { $minutes ->
    [one] a minute
   *[other] { $minutes } minutes
}

totp-title = Enter your code
totp-lead = Your password was right, { $name }. One more step.
totp-code = Code
totp-hint = The 6 digits that your authenticator app shows now.
totp-submit = Go on
totp-other = Not { $name }?
totp-again = Sign in again
totp-wrong = The code is wrong, or was used before. Please wait for the next one.

links-intro = Its developer says, and we did not check:
links-site = Website
links-policy = Privacy policy
links-terms = Terms of use
links-logo = Logo
