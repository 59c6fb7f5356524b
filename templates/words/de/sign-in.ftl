sign-in-title = Anmelden
sign-in-for-app = um mit { $app } weiterzumachen, einer App von { $account }
sign-in-alone = mit Ihrem Konto
sign-in-username = Benutzername
sign-in-name = Benutzername oder E-Mail-Adresse
sign-in-password = Passwort
sign-in-submit = Anmelden
sign-in-cancel = Abbrechen und zurück zur App
sign-in-wrong = Benutzername oder Passwort ist falsch. Bitte versuchen Sie es noch einmal.
sign-in-busy = Gerade melden sich viele Menschen an. Bitte versuchen Sie es gleich noch einmal.
sign-in-too-long = Der Name ist zu lang.
sign-in-too-many = Zu viele falsche Versuche. Bitte warten Sie { $wait } und versuchen Sie es dann noch einmal.
sign-in-wait-seconds = { $seconds ->
    [one] eine Sekunde
   *[other] { $seconds } Sekunden
}
sign-in-wait-minutes = { $minutes ->
    [one] eine Minute
   *[other] { $minutes } Minuten
}

totp-title = Code eingeben
totp-lead = Ihr Passwort war richtig, { $name }. Noch ein Schritt.
totp-code = Code
totp-hint = Die 6 Ziffern, die Ihre Authenticator-App gerade anzeigt.
totp-submit = Weiter
totp-other = Nicht { $name }?
totp-again = Neu anmelden
totp-wrong = Der Code ist falsch oder wurde schon verwendet. Bitte warten Sie auf den nächsten.

links-intro = Angaben des Entwicklers, von uns nicht geprüft:
links-site = Webseite
links-policy = Datenschutz
links-terms = Nutzungsbedingungen
links-logo = Logo
