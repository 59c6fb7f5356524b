# Briefe. Jede Art hat einen Betreff, einen Text (eine Leerzeile beendet einen Absatz) und, wenn sie
# einen Link mitbringt, die Aufschrift des Knopfes.

mail-footer = Diese Nachricht kommt von { $host }. Antworten darauf liest niemand.
mail-or-copy = Wenn der Knopf nicht funktioniert, kopieren Sie diese Adresse in Ihren Browser:

mail-test-subject = Eine Testnachricht von { $host }
mail-test-text =
    Mit dieser Nachricht wurde geprüft, ob Nachrichten von { $host } ankommen. Sie kommen an.

    Sie müssen nichts tun.
mail-test-link = { $host } öffnen

mail-factor-added-subject = Ein zweiter Schritt wurde Ihrem Konto bei { $host } hinzugefügt
mail-factor-added-text =
    Jemand, der als Sie angemeldet ist, hat einen zweiten Schritt für die Anmeldung bei { $host } hinzugefügt: eine Authenticator-App, einen Passkey oder einen Sicherheitsschlüssel.

    Wenn Sie das waren, brauchen Sie nichts zu tun. Wenn nicht, öffnen Sie sofort Ihr Konto, entfernen Sie ihn, und ändern Sie Ihr Passwort.
mail-factor-added-link = Meine zweiten Schritte ansehen
mail-factor-removed-subject = Ein zweiter Schritt wurde von Ihrem Konto bei { $host } entfernt
mail-factor-removed-text =
    Jemand, der als Sie angemeldet ist, hat einen zweiten Schritt für die Anmeldung bei { $host } entfernt.

    Wenn Sie das waren, brauchen Sie nichts zu tun. Wenn nicht, öffnen Sie sofort Ihr Konto, fügen Sie einen zweiten Schritt hinzu, und ändern Sie Ihr Passwort.
mail-factor-removed-link = Meine zweiten Schritte ansehen
mail-recovery-made-subject = Neue Wiederherstellungscodes für Ihr Konto bei { $host }
mail-recovery-made-text =
    Für Ihr Konto bei { $host } wurden zehn neue Wiederherstellungscodes gemacht. Die bisherigen gelten nicht mehr.

    Wenn Sie das nicht waren, öffnen Sie sofort Ihr Konto, machen Sie neue Codes, und ändern Sie Ihr Passwort.
mail-recovery-made-link = Meine zweiten Schritte ansehen
mail-recovery-used-subject = Ein Wiederherstellungscode wurde für die Anmeldung bei { $host } benutzt
mail-recovery-used-text =
    Jemand hat sich als Sie bei { $host } angemeldet, mit Ihrem Passwort und einem Ihrer Wiederherstellungscodes.

    Wenn Sie das waren, brauchen Sie nichts zu tun; denken Sie daran, dass jeder Code einmal gilt. Wenn nicht, öffnen Sie sofort Ihr Konto und ändern Sie Ihr Passwort.
mail-recovery-used-link = Meine zweiten Schritte ansehen
