# Letters. Each kind has a subject, a text (a blank line ends a paragraph) and, if it brings a link,
# what the button says.

mail-footer = This e-mail was sent by { $host }. Nobody reads replies to it.
mail-or-copy = If the button does not work, copy this address into your browser:

mail-test-subject = A test e-mail from { $host }
mail-test-text =
    This e-mail was sent to find out whether e-mails from { $host } arrive. They do.

    There is nothing for you to do.
mail-test-link = Open { $host }

mail-factor-added-subject = A second step was added to your account at { $host }
mail-factor-added-text =
    Somebody who is signed in as you added a second step for signing in at { $host }: an authenticator app, a passkey or a security key.

    If this was you, there is nothing for you to do. If not, open your account at once, remove it, and change your password.
mail-factor-added-link = Look at my second steps
mail-factor-removed-subject = A second step was removed from your account at { $host }
mail-factor-removed-text =
    Somebody who is signed in as you removed a second step for signing in at { $host }.

    If this was you, there is nothing for you to do. If not, open your account at once, add a second step, and change your password.
mail-factor-removed-link = Look at my second steps
mail-recovery-made-subject = New recovery codes for your account at { $host }
mail-recovery-made-text =
    Ten new recovery codes were made for your account at { $host }. Those of before stopped working.

    If this was not you, open your account at once, make new codes, and change your password.
mail-recovery-made-link = Look at my second steps
mail-recovery-used-subject = A recovery code was used to sign in at { $host }
mail-recovery-used-text =
    Somebody signed in as you at { $host } with your password and one of your recovery codes.

    If this was you, there is nothing for you to do; remember that each code works once. If not, open your account at once and change your password.
mail-recovery-used-link = Look at my second steps
mail-sign-up-subject = Confirm your e-mail address
mail-sign-up-text =
    Somebody, we hope you, wants to create an account with this address.

    Press the button to confirm that the address is yours. The link works for 24 hours, and once.

    If this was not you, there is nothing for you to do. No account is created then.
mail-sign-up-link = Confirm my address
mail-known-subject = You have an account already
mail-known-text =
    Somebody, perhaps you, wanted to create an account with this address, or to use the address for an account. There is one already.

    Please sign in with this address. If you forgot your password, press the button.

    If this was not you, there is nothing for you to do.
mail-known-link = Set a new password
mail-code-subject = Your code: { $code }
mail-code-text =
    Somebody, we hope you, wants to sign in to { $app } as you. This is the code:

    { $code }

    It works for ten minutes, and once. Nobody from here will ever ask you for it.

    If this was not you, there is nothing for you to do. Without the code nobody gets in.
mail-sign-up-code-subject = Your code: { $code }
mail-sign-up-code-text =
    Somebody, we hope you, wants to create an account for { $app } with this address. This is the code that confirms that the address is yours:

    { $code }

    It works for ten minutes, and once, where the account was asked for.

    If this was not you, there is nothing for you to do. No account is created then.
mail-invitation-subject = You are invited
mail-invitation-text =
    You are invited to create an account with this address.

    Press the button to choose a name and a password. The link works for seven days, and once.
mail-invitation-link = Create my account
mail-reset-subject = Set a new password
mail-reset-text =
    Somebody, we hope you, wants to set a new password for { $username }.

    Press the button to choose it. The link works for 30 minutes, and once; only the newest one works.

    If this was not you, there is nothing for you to do. Your password stays as it is.
mail-reset-link = Choose a new password
mail-password-changed-subject = Your password was changed
mail-password-changed-text =
    The password of your account was changed. All other devices were signed out.

    If this was not you, press the button and set a new password at once.
mail-password-changed-link = This was not me
mail-email-subject = Confirm your new e-mail address
mail-email-text =
    { $username } wants to use this e-mail address.

    If this is your account, press the button to confirm that the address is yours. The link works for 24 hours, and once.

    If it is not your account, there is nothing for you to do.
mail-email-link = Confirm my address
mail-email-changed-subject = Your e-mail address was changed
mail-email-changed-text =
    Your account has another e-mail address now: { $new }

    If this was you, there is nothing for you to do.

    If it was not, press the button to get this address back. Everybody is signed out of your account then, and you can set a new password. The link works for seven days.
mail-email-changed-link = This was not me
mail-new-device-subject = A new sign-in to your account
mail-new-device-text =
    Somebody has signed in to your account with a browser that we did not know.

    Time: { $time }

    Browser: { $browser }

    Network address: { $address }

    If this was you, there is nothing for you to do. If it was not, press the button and set a new password at once.
mail-new-device-link = This was not me

mail-deletion-asked-subject = Your account will be deleted on { $date }
mail-deletion-asked-text =
    { $name }, you asked for your account to be deleted. It will happen on { $date }.

    Until then everything works as before. If you change your mind, or if it was not you who asked, sign in and keep your account.
mail-deletion-asked-link = Keep my account
mail-deletion-kept-subject = Your account will not be deleted
mail-deletion-kept-text =
    { $name }, you decided on { $date } to keep your account. It will not be deleted.

    If it was not you who decided so, sign in, and change your password.
mail-deletion-kept-link = See my account
mail-deletion-soon-subject = Your account will be deleted in a few days
mail-deletion-soon-text =
    { $name }, your account will be deleted on { $date }, as you asked. Nobody can bring it back after that.

    If you have changed your mind, sign in before, and keep your account.
mail-deletion-soon-link = Keep my account
mail-deletion-done-subject = Your account was deleted
mail-deletion-done-text =
    { $name }, your account was deleted on { $date }, as you asked. This is the last e-mail to you.

mail-account-asked-subject = The account { $account } will be deleted on { $date }
mail-account-asked-text =
    An administrator asked for the account { $account } to be deleted, with all that belongs to it. It will happen on { $date }.

    Until then everything works as before, and any administrator of the account can keep it. You get this e-mail because the account names you as its owner.
mail-account-kept-subject = The account { $account } will not be deleted
mail-account-kept-text =
    An administrator decided on { $date } to keep the account { $account }. It will not be deleted.
mail-account-soon-subject = The account { $account } will be deleted in a few days
mail-account-soon-text =
    The account { $account } will be deleted on { $date }, with all that belongs to it. Nobody can bring it back after that.

    Any administrator of the account can still keep it.
mail-account-done-subject = The account { $account } was deleted
mail-account-done-text =
    The account { $account } was deleted on { $date }, with all that belonged to it.

mail-project-asked-subject = A project of the account { $account } will be deleted on { $date }
mail-project-asked-text =
    An administrator asked for the project { $project } of the account { $account } to be deleted, with all that belongs to it. It will happen on { $date }.

    Until then everything works as before, and any administrator of projects can keep it. You get this e-mail because the account names you as its owner.
mail-project-kept-subject = A project of the account { $account } will not be deleted
mail-project-kept-text =
    An administrator decided on { $date } to keep the project { $project } of the account { $account }. It will not be deleted.
mail-project-soon-subject = A project of the account { $account } will be deleted in a few days
mail-project-soon-text =
    The project { $project } of the account { $account } will be deleted on { $date }, with all that belongs to it. Nobody can bring it back after that.

    Any administrator of projects can still keep it.
mail-project-done-subject = A project of the account { $account } was deleted
mail-project-done-text =
    The project { $project } of the account { $account } was deleted on { $date }, with all that belonged to it.

mail-join-subject = { $inviter } invites you
mail-join-text =
    { $inviter } invites you to join the account { $account }.

    Press the button to see what it is about, and to accept or decline. If you are new here, you choose a name and a password first. The invitation is good until { $date }.

    If you do not know who this is, there is nothing for you to do.
mail-join-link = See the invitation
mail-join-plain-subject = You are invited to join an account
mail-join-plain-text =
    You are invited to join the account { $account }.

    Press the button to see what it is about, and to accept or decline. If you are new here, you choose a name and a password first. The invitation is good until { $date }.

    If you do not know what this is about, there is nothing for you to do.
mail-join-plain-link = See the invitation
mail-join-patient-subject = You are invited to see your health data
mail-join-patient-text =
    The account { $account } invites you to see what is stored about you.

    Press the button to see what it is about, and to accept or decline. If you are new here, you choose a name and a password first. The invitation is good until { $date }.

    If you do not know what this is about, there is nothing for you to do.
mail-join-patient-link = See the invitation

mail-app-approved-subject = Your app is live: { $app }
mail-app-approved-text =
    The platform looked at what you asked for { $app }, and approved it. The app is live as you asked.

    What they say to it: { $reason }
mail-app-rejected-subject = Your app was not approved: { $app }
mail-app-rejected-text =
    The platform looked at what you asked for { $app }, and did not approve it. The app stays as it was. You can change your draft and ask again.

    What they say to it: { $reason }
mail-app-suspended-subject = Your app was switched off: { $app }
mail-app-suspended-text =
    The platform switched { $app } off. Nobody can use it until something that you ask for it is approved.

    What they say to it: { $reason }
