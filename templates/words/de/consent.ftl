signed-in-as = Sie sind angemeldet als { $user }.
app-of = eine App von { $account }
app-developing = in Entwicklung
app-developing-note = Diese App wird noch entwickelt. Erlauben Sie sie nur, wenn Sie beim Testen mitmachen.
app-message = Sie zeigt die Nachricht { $message }.

consent-page = { $app } erlauben?
consent-title = Darf diese App für Sie handeln?
consent-nothing = Sie möchte nur wissen, dass Sie sich angemeldet haben.
consent-wishes = Die App kann dann
consent-details = Im Einzelnen, nur für dieses eine Mal
consent-allow = Erlauben
consent-deny = Nicht erlauben
consent-fine = Was die App erreicht, hängt auch von Ihren eigenen Rechten ab: Sie sieht nie mehr als Sie selbst.

# Was ein Scope einer App erlaubt: das Ende von „Die App kann dann“.
wish-openid = wissen, wer Sie sind
wish-profile = Ihr Profil sehen: Name, Benutzername und was Sie sonst von sich angeben
wish-email = Ihre E-Mail-Adresse sehen
wish-phone = Ihre Telefonnummer sehen
wish-address = Ihre Postanschrift sehen
wish-offline-access = verbunden bleiben, während Sie nicht da sind
wish-account-read = die Konten sehen, in denen Sie Mitglied sind
wish-group-read = die Gruppen eines Kontos sehen
wish-policy-read = die Zugriffsregeln eines Kontos sehen
wish-policy-write = die Zugriffsregeln eines Kontos ändern
wish-project-read = Ihre Projekte sehen
wish-project-write = Projekte anlegen und ändern
wish-other = „{ $scope }“ nutzen

approvals-title = Wartet auf Ihre Antwort
approvals-none = Nichts wartet auf Sie. Wenn eine App Sie gerade gefragt hat, laden Sie diese Seite gleich noch einmal.
approvals-fine = Erlauben Sie nur, was Sie selbst gerade begonnen haben, und nur, wenn die Nachricht die ist, die Ihnen die App zeigt.

device-title = Ein Gerät verbinden
device-lead = Geben Sie den Code ein, den Ihr Gerät anzeigt.
device-code = Code
device-continue = Weiter
device-fine = Machen Sie nur weiter, wenn Sie das Gerät vor sich haben. Niemand vom Support schickt Ihnen je einen Code.
device-wrong = Dieser Code ist falsch oder zu alt. Bitte sehen Sie auf Ihrem Gerät nach und versuchen Sie es noch einmal.
device-confirm-page = { $app } auf Ihrem Gerät erlauben?
device-confirm-title = Diese App auf Ihrem Gerät erlauben?
device-confirm-lead = Sie sind angemeldet als { $user }. Das Gerät zeigt den Code { $code }.
device-confirm-fine = Erlauben Sie das nur, wenn Sie es gerade auf einem eigenen Gerät begonnen haben. Wenn Ihnen jemand den Code geschickt hat, erlauben Sie es nicht.
device-done-page = Gerät verbunden
device-done-title = Ihr Gerät ist verbunden
device-done-lead = Sie können zu Ihrem Gerät zurückgehen und diese Seite schließen.
device-refused-page = Gerät nicht verbunden
device-refused-title = Ihr Gerät ist nicht verbunden
device-refused-lead = Es bekommt nichts. Sie können diese Seite schließen.

select-account-title = Konto auswählen
select-account-lead = um mit { $app } weiterzumachen
select-account-current = Weiter
select-account-another = Ein anderes Konto verwenden

form-post-title = Zurück zur App
form-post-lead = Wenn nichts geschieht, machen Sie selbst weiter.
form-post-continue = Weiter
