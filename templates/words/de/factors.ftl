key-title = Schlüssel benutzen
key-hint = Benutzen Sie den Passkey oder Sicherheitsschlüssel, den Sie hinzugefügt haben: ein Telefon, einen Computer oder ein kleines Gerät zum Einstecken oder Ans-Telefon-Halten.
key-use = Meinen Schlüssel benutzen
key-failed = Das hat nicht geklappt, oder Sie haben es abgebrochen. Sie können es noch einmal versuchen.
key-wrong = Dieser Schlüssel hat hier nicht funktioniert. Bitte versuchen Sie es noch einmal, oder wählen Sie einen anderen Weg.
key-no-script = Schlüssel brauchen JavaScript, das in Ihrem Browser ausgeschaltet ist. Alles andere geht ohne.
key-name = Name
key-name-hint = Damit Sie ihn wiedererkennen, zum Beispiel „Mein Telefon“.
key-name-wrong = Bitte geben Sie einen Namen mit höchstens 100 Buchstaben ein.
key-taken = Dieser Schlüssel wurde schon hinzugefügt.
key-too-many = Sie haben schon so viele Schlüssel, wie möglich sind. Bitte entfernen Sie zuerst einen.
key-unavailable = Schlüssel können unter dieser Adresse nicht benutzt werden.
passkey-sign-in = Mit einem Passkey anmelden
passkey-wrong = Dieser Passkey hat hier nicht funktioniert. Bitte versuchen Sie es noch einmal, oder melden Sie sich mit Ihrem Passwort an.
passkey-add = Passkey hinzufügen
passkey-about = Ein Passkey liegt auf Ihrem Telefon, Ihrem Computer oder einem Sicherheitsschlüssel. Er fragt nach Finger, Gesicht oder PIN; ein Passwort brauchen Sie damit nicht.

ways-title = Andere Wege
way-code = Code aus der Authenticator-App benutzen
way-key = Passkey oder Sicherheitsschlüssel benutzen
way-recovery = Wiederherstellungscode benutzen

recovery-title = Wieder{ "\u00AD" }herstellungs{ "\u00AD" }code benutzen
recovery-code = Wiederherstellungscode
recovery-hint = Einer der Codes, die Sie gedruckt oder gespeichert haben. Jeder gilt einmal.
recovery-wrong = Der Code ist falsch oder wurde schon benutzt. Bitte nehmen Sie einen anderen.
recovery-codes-title = Ihre Wieder{ "\u00AD" }herstellungs{ "\u00AD" }codes
recovery-codes-lead = Wenn Sie Ihr Telefon oder Ihren Schlüssel verlieren, kommen Sie mit einem dieser Codes herein. Jeder gilt einmal.
recovery-codes-keep = Sie werden nur jetzt gezeigt. Drucken Sie diese Seite oder speichern Sie die Datei, und bewahren Sie sie sicher auf.
recovery-codes-download = Als Datei speichern
recovery-codes-file = wiederherstellungscodes.txt

totp-setup-title = Mit einer Authenticator-App
totp-setup-install = Installieren Sie eine Authenticator-App auf Ihrem Telefon, falls Sie noch keine haben.
totp-setup-scan = Fügen Sie in der App ein Konto hinzu, und richten Sie die Kamera auf dieses Bild.
totp-setup-picture = QR-Code mit dem Geheimnis für Ihre Authenticator-App. Dasselbe Geheimnis steht darunter als Text.
totp-setup-link = Oder öffnen Sie Ihre App mit diesem Link, wenn sie auf diesem Gerät ist
totp-setup-type = Oder tippen Sie dies in die App:
totp-setup-submit = Prüfen und einschalten
totp-setup-wrong = Der Code ist falsch. Bitte sehen Sie noch einmal in die App: alle 30 Sekunden zeigt sie einen neuen.

factor-over = Diese Seite hat zu lange gedauert oder wurde schon benutzt. Bitte versuchen Sie es noch einmal.
factor-last = Ihre Organisation verlangt einen zweiten Schritt. Bitte fügen Sie zuerst einen anderen hinzu; dann können Sie diesen entfernen.
factor-unknown = Diesen Eintrag gibt es nicht mehr.

enrol-title = Zweiten Schritt hinzufügen
enrol-lead = Ihr Passwort war richtig, { $name }. Hier wird ein zweiter Schritt verlangt, und Sie haben noch keinen. Fügen Sie jetzt einen hinzu; beim nächsten Mal benutzen Sie ihn nur noch.
enrol-key-title = Oder mit einem Passkey
enrolled-title = Ihr zweiter Schritt ist eingeschaltet
enrolled-lead = Von nun an brauchen Sie ihn bei jeder Anmeldung.
enrolled-next = Ich habe die Codes gespeichert, weiter

factors-title = Zweite Faktoren
factors-lead = Mit einem zweiten Schritt genügt ein gestohlenes Passwort nicht, um sich als Sie anzumelden.
factors-required = Ihre Organisation verlangt einen zweiten Schritt. Sie können Ihren ändern, aber einer muss bleiben.
factors-app = Authenticator-App
factors-app-about = Eine App auf Ihrem Telefon zeigt alle 30 Sekunden einen neuen Code, den Sie nach dem Passwort eingeben.
factors-app-add = Authenticator-App einrichten
factors-app-since = Eingeschaltet seit { $date }.
factors-app-replace = Ersetzen, zum Beispiel auf einem neuen Telefon
factors-app-remove = Authenticator-App entfernen
factors-app-replaces = Die App, die Sie jetzt haben, gilt nicht mehr, sobald die neue eingeschaltet ist.
factors-back = Zurück, ohne etwas zu ändern
factors-keys = Passkeys und Sicherheitsschlüssel
factors-key-added = Hinzugefügt am { $date }.
factors-key-used = Zuletzt benutzt am { $date }.
factors-key-unused = Noch nicht benutzt.
factors-key-rename = Umbenennen
factors-key-rename-this = { $name } umbenennen
factors-key-remove = Entfernen
factors-key-remove-this = { $name } entfernen
factors-second-keys = Ein Sicherheitsschlüssel ohne PIN
factors-second-keys-about = Ältere Schlüssel, die Sie nur berühren. Sie werden nach dem Passwort benutzt.
key-add = Sicherheitsschlüssel hinzufügen
key-kind-passkey = Passkey: meldet Sie ohne Passwort an
key-kind-second = Sicherheitsschlüssel: nach dem Passwort
factors-codes-left = { $number ->
    [0] Sie haben keine Wiederherstellungscodes.
    [one] Ein Code ist übrig.
   *[other] { $number } Codes sind übrig.
}
factors-codes-new = Zehn neue Codes machen
factors-codes-void = Die bisherigen Codes gelten dann nicht mehr.
factors-codes-done = Ich habe sie gespeichert
