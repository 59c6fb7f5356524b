sign-out-title = Sign out?
sign-out-app = { $app } asks to sign you out.
sign-out-lead = Apps that you use with this sign-in lose their access.
sign-out-confirm = Sign out
sign-out-cancel = Stay signed in

signed-out-title = You are signed out
signed-out-telling = Your apps are being told. You are sent on in a moment.
signed-out-go-on = Go on
signed-out-lead = On a shared computer, close the browser, too.
signed-out-again = Sign in again
signed-out-frame = Signs you out of an app
