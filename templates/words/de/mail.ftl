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
mail-sign-up-subject = Bestätigen Sie Ihre E-Mail-Adresse
mail-sign-up-text =
    Jemand, hoffentlich Sie selbst, möchte mit dieser Adresse ein Konto anlegen.

    Drücken Sie den Knopf, um zu bestätigen, dass die Adresse Ihre ist. Der Link gilt 24 Stunden und einmal.

    Wenn Sie das nicht waren, brauchen Sie nichts zu tun. Dann wird kein Konto angelegt.
mail-sign-up-link = Adresse bestätigen
mail-known-subject = Sie haben schon ein Konto
mail-known-text =
    Jemand, vielleicht Sie selbst, wollte mit dieser Adresse ein Konto anlegen oder die Adresse für ein Konto verwenden. Es gibt schon eines.

    Bitte melden Sie sich mit dieser Adresse an. Wenn Sie Ihr Passwort vergessen haben, drücken Sie den Knopf.

    Wenn Sie das nicht waren, brauchen Sie nichts zu tun.
mail-known-link = Neues Passwort setzen
mail-code-subject = Ihr Code: { $code }
mail-code-text =
    Jemand, wir hoffen Sie, möchte sich unter Ihrem Namen bei { $app } anmelden. Das ist der Code:

    { $code }

    Er gilt zehn Minuten lang und ein Mal. Niemand von hier wird Sie je danach fragen.

    Waren Sie das nicht, so müssen Sie nichts tun. Ohne den Code kommt niemand hinein.
mail-sign-up-code-subject = Ihr Code: { $code }
mail-sign-up-code-text =
    Jemand, wir hoffen Sie, möchte mit dieser Adresse ein Konto für { $app } anlegen. Das ist der Code, der bestätigt, dass die Adresse Ihre ist:

    { $code }

    Er gilt zehn Minuten lang und ein Mal, dort, wo das Konto gewünscht wurde.

    Waren Sie das nicht, so müssen Sie nichts tun. Dann wird kein Konto angelegt.
mail-invitation-subject = Sie sind eingeladen
mail-invitation-text =
    Sie sind eingeladen, mit dieser Adresse ein Konto anzulegen.

    Drücken Sie den Knopf, um einen Namen und ein Passwort zu wählen. Der Link gilt sieben Tage und einmal.
mail-invitation-link = Konto anlegen
mail-reset-subject = Neues Passwort setzen
mail-reset-text =
    Jemand, hoffentlich Sie selbst, möchte ein neues Passwort für { $username } setzen.

    Drücken Sie den Knopf, um es zu wählen. Der Link gilt 30 Minuten und einmal; nur der neueste gilt.

    Wenn Sie das nicht waren, brauchen Sie nichts zu tun. Ihr Passwort bleibt, wie es ist.
mail-reset-link = Neues Passwort wählen
mail-password-changed-subject = Ihr Passwort wurde geändert
mail-password-changed-text =
    Das Passwort Ihres Kontos wurde geändert. Alle anderen Geräte wurden abgemeldet.

    Wenn Sie das nicht waren, drücken Sie den Knopf und setzen Sie sofort ein neues Passwort.
mail-password-changed-link = Das war ich nicht
mail-email-subject = Bestätigen Sie Ihre neue E-Mail-Adresse
mail-email-text =
    { $username } möchte diese E-Mail-Adresse verwenden.

    Wenn das Ihr Konto ist, drücken Sie den Knopf, um zu bestätigen, dass die Adresse Ihre ist. Der Link gilt 24 Stunden und einmal.

    Wenn es nicht Ihr Konto ist, brauchen Sie nichts zu tun.
mail-email-link = Adresse bestätigen
mail-email-changed-subject = Ihre E-Mail-Adresse wurde geändert
mail-email-changed-text =
    Ihr Konto hat jetzt eine andere E-Mail-Adresse: { $new }

    Wenn Sie das waren, brauchen Sie nichts zu tun.

    Wenn nicht, drücken Sie den Knopf, um diese Adresse zurückzubekommen. Dann werden alle von Ihrem Konto abgemeldet, und Sie können ein neues Passwort setzen. Der Link gilt sieben Tage.
mail-email-changed-link = Das war ich nicht
mail-new-device-subject = Neue Anmeldung bei Ihrem Konto
mail-new-device-text =
    Jemand hat sich mit einem Browser bei Ihrem Konto angemeldet, den wir nicht kannten.

    Zeit: { $time }

    Browser: { $browser }

    Netzadresse: { $address }

    Wenn Sie das waren, brauchen Sie nichts zu tun. Wenn nicht, drücken Sie den Knopf und setzen Sie sofort ein neues Passwort.
mail-new-device-link = Das war ich nicht

mail-deletion-asked-subject = Ihr Konto wird am { $date } gelöscht
mail-deletion-asked-text =
    { $name }, Sie haben darum gebeten, Ihr Konto zu löschen. Das geschieht am { $date }.

    Bis dahin funktioniert alles wie bisher. Wenn Sie es sich anders überlegen, oder wenn nicht Sie es waren, melden Sie sich an und behalten Sie Ihr Konto.
mail-deletion-asked-link = Mein Konto behalten
mail-deletion-kept-subject = Ihr Konto wird nicht gelöscht
mail-deletion-kept-text =
    { $name }, Sie haben am { $date } entschieden, Ihr Konto zu behalten. Es wird nicht gelöscht.

    Wenn nicht Sie das waren, melden Sie sich an und ändern Sie Ihr Passwort.
mail-deletion-kept-link = Mein Konto ansehen
mail-deletion-soon-subject = Ihr Konto wird in wenigen Tagen gelöscht
mail-deletion-soon-text =
    { $name }, Ihr Konto wird am { $date } gelöscht, wie Sie es wollten. Danach kann es niemand zurückholen.

    Wenn Sie es sich anders überlegt haben, melden Sie sich vorher an und behalten Sie Ihr Konto.
mail-deletion-soon-link = Mein Konto behalten
mail-deletion-done-subject = Ihr Konto wurde gelöscht
mail-deletion-done-text =
    { $name }, Ihr Konto wurde am { $date } gelöscht, wie Sie es wollten. Das ist der letzte Brief an Sie.

mail-account-asked-subject = Das Konto { $account } wird am { $date } gelöscht
mail-account-asked-text =
    Jemand aus der Verwaltung hat verlangt, dass das Konto { $account } gelöscht wird, mit allem, was dazugehört. Das geschieht am { $date }.

    Bis dahin geht alles wie bisher, und die Verwaltung kann das Konto behalten. Sie bekommen diese E-Mail, weil das Konto Sie als Inhaber nennt.
mail-account-kept-subject = Das Konto { $account } wird nicht gelöscht
mail-account-kept-text =
    Die Verwaltung hat am { $date } entschieden, das Konto { $account } zu behalten. Es wird nicht gelöscht.
mail-account-soon-subject = Das Konto { $account } wird in wenigen Tagen gelöscht
mail-account-soon-text =
    Das Konto { $account } wird am { $date } gelöscht, mit allem, was dazugehört. Danach kann es niemand zurückholen.

    Noch kann die Verwaltung das Konto behalten.
mail-account-done-subject = Das Konto { $account } wurde gelöscht
mail-account-done-text =
    Das Konto { $account } wurde am { $date } gelöscht, mit allem, was dazugehörte.

mail-project-asked-subject = Ein Projekt des Kontos { $account } wird am { $date } gelöscht
mail-project-asked-text =
    Jemand aus der Verwaltung hat verlangt, dass das Projekt { $project } des Kontos { $account } gelöscht wird, mit allem, was dazugehört. Das geschieht am { $date }.

    Bis dahin geht alles wie bisher, und wer Projekte verwaltet, kann es behalten. Sie bekommen diese E-Mail, weil das Konto Sie als Inhaber nennt.
mail-project-kept-subject = Ein Projekt des Kontos { $account } wird nicht gelöscht
mail-project-kept-text =
    Die Verwaltung hat am { $date } entschieden, das Projekt { $project } des Kontos { $account } zu behalten. Es wird nicht gelöscht.
mail-project-soon-subject = Ein Projekt des Kontos { $account } wird in wenigen Tagen gelöscht
mail-project-soon-text =
    Das Projekt { $project } des Kontos { $account } wird am { $date } gelöscht, mit allem, was dazugehört. Danach kann es niemand zurückholen.

    Noch kann es behalten, wer Projekte verwaltet.
mail-project-done-subject = Ein Projekt des Kontos { $account } wurde gelöscht
mail-project-done-text =
    Das Projekt { $project } des Kontos { $account } wurde am { $date } gelöscht, mit allem, was dazugehörte.

mail-join-subject = { $inviter } lädt Sie ein
mail-join-text =
    { $inviter } lädt Sie in das Konto { $account } ein.

    Mit dem Knopf sehen Sie, worum es geht, und können annehmen oder ablehnen. Wenn Sie neu hier sind, wählen Sie zuerst einen Namen und ein Passwort. Die Einladung gilt bis zum { $date }.

    Wenn Sie nicht wissen, wer das ist, müssen Sie nichts tun.
mail-join-link = Einladung ansehen
mail-join-plain-subject = Sie sind in ein Konto eingeladen
mail-join-plain-text =
    Sie sind in das Konto { $account } eingeladen.

    Mit dem Knopf sehen Sie, worum es geht, und können annehmen oder ablehnen. Wenn Sie neu hier sind, wählen Sie zuerst einen Namen und ein Passwort. Die Einladung gilt bis zum { $date }.

    Wenn Sie nicht wissen, worum es geht, müssen Sie nichts tun.
mail-join-plain-link = Einladung ansehen
mail-join-patient-subject = Sie sind eingeladen, Ihre Gesundheitsdaten zu sehen
mail-join-patient-text =
    Das Konto { $account } lädt Sie ein zu sehen, was über Sie gespeichert ist.

    Mit dem Knopf sehen Sie, worum es geht, und können annehmen oder ablehnen. Wenn Sie neu hier sind, wählen Sie zuerst einen Namen und ein Passwort. Die Einladung gilt bis zum { $date }.

    Wenn Sie nicht wissen, worum es geht, müssen Sie nichts tun.
mail-join-patient-link = Einladung ansehen

mail-app-approved-subject = Ihre App ist online: { $app }
mail-app-approved-text =
    Die Plattform hat geprüft, was Sie für { $app } beantragt haben, und hat es genehmigt. Die App ist so online, wie Sie es beantragt haben.

    Die Begründung: { $reason }
mail-app-rejected-subject = Ihre App wurde nicht genehmigt: { $app }
mail-app-rejected-text =
    Die Plattform hat geprüft, was Sie für { $app } beantragt haben, und hat es nicht genehmigt. Die App bleibt, wie sie war. Sie können Ihren Entwurf ändern und noch einmal fragen.

    Die Begründung: { $reason }
mail-app-suspended-subject = Ihre App wurde abgeschaltet: { $app }
mail-app-suspended-text =
    Die Plattform hat { $app } abgeschaltet. Niemand kann die App benutzen, bis etwas genehmigt wird, das Sie für sie beantragen.

    Die Begründung: { $reason }
