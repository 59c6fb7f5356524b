# Letters. Each kind has a subject, a text (a blank line ends a paragraph) and, if it brings a link,
# what the button says.

mail-footer = This letter was sent by { $host }. Nobody reads replies to it.
mail-or-copy = If the button does not work, copy this address into your browser:

mail-test-subject = A test letter from { $host }
mail-test-text =
    This letter was sent to find out whether letters from { $host } arrive. They do.

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
