sign-up-title = Konto anlegen
sign-up-lead = Sie bekommen eine E-Mail, mit der Sie zeigen, dass die Adresse Ihre ist.
sign-up-invited = Sie wurden eingeladen. Wählen Sie einen Namen und ein Passwort.
sign-up-name = Ihr Name
sign-up-email = E-Mail-Adresse
sign-up-email-hint = Mit ihr melden Sie sich an. Wir schicken einen Link dorthin.
sign-up-submit = Konto anlegen
sign-up-known = Haben Sie schon ein Konto?
sign-up-sign-in = Anmelden
sign-up-link = Konto anlegen
sign-up-bad-name = Bitte geben Sie Ihren Namen ein: eine Zeile mit höchstens 200 Zeichen.
sign-up-bad-email = Das ist keine E-Mail-Adresse. Bitte prüfen Sie sie, zum Beispiel: ada@example.org
sign-up-taken = Mit dieser Adresse meldet sich schon jemand an. Bitte melden Sie sich an oder setzen Sie ein neues Passwort.
sign-up-too-many = Es wurden zu viele E-Mails angefordert. Bitte warten Sie { $wait } und versuchen Sie es dann noch einmal.
sign-up-busy = Gerade melden sich viele Menschen an. Bitte versuchen Sie es gleich noch einmal.

password-choose = Passwort wählen
password-choose-new = Neues Passwort
password-hint = Mindestens 12 Zeichen. Einige Wörter, die nicht zusammengehören, sind leicht zu merken und schwer zu erraten. Leerzeichen sind willkommen, ein Passwort-Manager auch.
password-too-short = Das Passwort ist zu kurz. Es braucht mindestens 12 Zeichen.
password-too-long = Das Passwort ist zu lang. Es darf höchstens 1.024 Bytes haben.
password-common = Dieses Passwort haben viele Menschen benutzt, und Angreifer probieren es zuerst. Bitte wählen Sie ein anderes.
password-personal = Dieses Passwort besteht aus Ihrem Namen oder Ihrer Adresse, die andere kennen. Bitte wählen Sie ein anderes.
password-keyboard = Eine Reihe von Tasten ist leicht zu erraten. Bitte nehmen Sie einige Wörter, die nicht zusammengehören.
password-repeated = Etwas zu wiederholen macht es kaum schwerer zu erraten. Bitte fügen Sie andere Wörter hinzu.
password-sequence = Eine Folge wie abc oder 6543 ist leicht zu erraten. Bitte fügen Sie andere Wörter hinzu.
password-date = Daten und Jahreszahlen sind leicht zu erraten. Bitte fügen Sie andere Wörter hinzu.
password-guessable = Dieses Passwort ist leicht zu erraten. Bitte fügen Sie ein oder zwei Wörter hinzu, die nicht dazugehören.

check-mail-title = Sehen Sie in Ihre E-Mails
check-mail-sign-up = Wir haben eine E-Mail an { $to } geschickt. Öffnen Sie den Link darin, um weiterzumachen.
check-mail-forgot = Wenn es ein Konto für { $to } gibt, haben wir eine E-Mail an seine E-Mail-Adresse geschickt. Öffnen Sie den Link darin, um ein neues Passwort zu wählen.
check-mail-hint = Es kann einige Minuten dauern. Wenn nichts kommt, sehen Sie in den Spam-Ordner, oder lassen Sie die E-Mail noch einmal schicken.
check-mail-again = Noch einmal schicken
check-mail-sent-again = Wir haben sie noch einmal geschickt. Nur der Link in der neuesten E-Mail gilt.
check-mail-done = Haben Sie den Link auf einem anderen Gerät geöffnet?

confirm-title = Adresse bestätigen
confirm-lead = Ist { $email } Ihre E-Mail-Adresse, und haben Sie hier ein Konto anlegen wollen?
confirm-why = Sie haben in einem anderen Browser begonnen. Bitte geben Sie das Passwort ein, das Sie dort gewählt haben.
confirm-button = Ja, das Konto anlegen
link-not-you = Wenn Sie das nicht waren, schließen Sie diese Seite. Dann geschieht nichts.
link-wrong-password = Das Passwort ist falsch. Bitte versuchen Sie es noch einmal.

verify-title = Neue Adresse bestätigen
verify-lead = Soll { $email } die E-Mail-Adresse Ihres Kontos sein?
verify-why = Bitte geben Sie das Passwort dieses Kontos ein, um zu zeigen, dass es Ihres ist.
verify-button = Ja, das ist meine Adresse
verify-done-title = Ihre Adresse ist bestätigt
verify-done-text = Ab jetzt können Sie sich mit ihr anmelden, und unsere E-Mails gehen dorthin.
verify-done-label = Zu Ihrem Konto

revert-title = Änderung zurücknehmen
revert-lead = Soll { $email } wieder die E-Mail-Adresse Ihres Kontos sein?
revert-button = Ja, zurücknehmen
revert-done-title = Sie haben wieder Ihre alte Adresse
revert-done-text = Alle wurden von Ihrem Konto abgemeldet. Wir haben Ihnen eine E-Mail mit einem Link geschickt: Bitte wählen Sie damit jetzt ein neues Passwort.
revert-done-label = Zur Anmeldung

forgot-title = Neues Passwort setzen
forgot-lead = Sagen Sie uns, wer Sie sind, und wir schicken einen Link an Ihre E-Mail-Adresse.
forgot-name = Benutzername oder E-Mail-Adresse
forgot-submit = Link schicken
forgot-back = Zurück zur Anmeldung
forgot-link = Passwort vergessen?
forgot-nobody = Bitte geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein.

reset-title = Neues Passwort wählen
reset-lead = für { $name }
reset-submit = Passwort setzen
reset-everywhere = Sie werden überall abgemeldet.
reset-done-title = Ihr Passwort wurde geändert
reset-done-text = Sie wurden überall abgemeldet. Bitte melden Sie sich mit dem neuen Passwort an.
reset-done-label = Anmelden

email-title = E-Mail-Adresse
email-current = Ihre Adresse
email-none = keine
email-state = Zustand
email-verified = bestätigt
email-unverified = noch nicht bestätigt
email-verify = Link zum Bestätigen schicken
email-change = Ändern
email-how = Wir schicken einen Link an die neue Adresse. Die alte bleibt, bis Sie ihn öffnen, und bekommt dann eine E-Mail.
email-new = Neue E-Mail-Adresse
email-submit = Link schicken
email-sent = Wir haben eine E-Mail an { $email } geschickt. Öffnen Sie den Link darin, um die Adresse zu bestätigen.

change-password-title = Passwort
change-password-how = Alle anderen Geräte werden abgemeldet.
change-password-current = Aktuelles Passwort
change-password-submit = Passwort ändern
change-password-done = Ihr Passwort wurde geändert. Alle anderen Geräte wurden abgemeldet.
change-password-wrong = Das aktuelle Passwort ist falsch. Bitte versuchen Sie es noch einmal.
