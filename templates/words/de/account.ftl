# Die Seiten des eigenen Kontos.
account-nav = Ihr Konto
account-nav-overview = Übersicht
account-nav-profile = Profil
account-nav-email = E-Mail
account-nav-password = Passwort
account-nav-factors = Zweite Faktoren
account-nav-sessions = Geräte
account-nav-apps = Apps
account-nav-data = Ihre Daten
account-nav-deletion = Löschen
account-who = Angemeldet als { $name }
account-sign-out = Abmelden

# Die Warnung auf jeder Seite, solange ein Konto auf seine Löschung wartet.
leaving-text = { $days ->
    [0] Ihr Konto wird heute gelöscht.
    [one] Ihr Konto wird innerhalb eines Tages gelöscht.
   *[other] Ihr Konto wird in { $days } Tagen gelöscht.
}
leaving-until = Bis zum { $date } funktioniert alles wie bisher, und Sie können Ihr Konto behalten.
leaving-cancel = Mein Konto behalten

overview-title = Sie sind angemeldet
overview-lead = Apps Ihrer Organisation können nun nach Ihrer Anmeldung fragen.
overview-name = Name
overview-username = Benutzername
overview-email = E-Mail
overview-factor = Zweiter Faktor
overview-factor-on = ein
overview-factor-off = aus

sessions-title = Wo Sie angemeldet sind
sessions-lead = Diese Geräte und Browser sind mit Ihrem Konto angemeldet. Melden Sie dort ab, was Sie nicht kennen, und ändern Sie Ihr Passwort.
sessions-device = { $program } auf { $system }
sessions-device-unknown = Unbekanntes Gerät
sessions-here = Dieses hier
sessions-place = Ort, ungefähr
sessions-network = Netz { $network }
sessions-since = Angemeldet
sessions-last-seen = Zuletzt benutzt
sessions-end = Dort abmelden
sessions-end-others = Überall sonst abmelden
sessions-fine = Der Ort ist der des Netzes, aus dem Sie sich angemeldet haben. Er kann weit daneben liegen und wird vergessen, wenn die Sitzung endet.

apps-title = Apps mit Zugriff
apps-none = Keine App hat Zugriff auf Ihr Konto.
apps-lead = Diesen Apps haben Sie erlaubt, für Sie zu handeln.
apps-account = Eine App von { $account }
apps-since = Seit
apps-last-used = Zuletzt benutzt, ungefähr
apps-not-now = Sie hat jetzt keinen Zugriff, bekäme ihn aber wieder, ohne Sie zu fragen.
apps-withdraw = Zugriff wegnehmen
apps-fine = Eine App, der Sie den Zugriff wegnehmen, hört sofort auf. Sie kann Sie wieder fragen.

profile-title = Ihr Profil
profile-lead = Das sehen Apps, denen Sie Ihr Profil zeigen. Sie dürfen jedes Feld leer lassen.
profile-saved = Gespeichert.
profile-fault = Ein Feld lässt sich so nicht speichern. Bitte sehen Sie sich das markierte an.
profile-save = Speichern
profile-name = Voller Name
profile-given-name = Vorname
profile-middle-name = Weitere Vornamen
profile-family-name = Nachname
profile-nickname = Wie Freunde Sie nennen
profile-birthdate = Geburtsdatum
profile-birthdate-hint = Jahr, Monat, Tag, zum Beispiel 1948-03-27. Das Jahr allein genügt.
profile-phone = Telefonnummer
profile-phone-hint = Zum Beispiel +41 31 123 45 67
profile-website = Website
profile-website-hint = Zum Beispiel https://example.org
profile-locale = Sprache
profile-locale-hint = In Kurzform, zum Beispiel de oder de-CH
profile-zone = Zeitzone
profile-zone-hint = Zum Beispiel Europe/Zurich
profile-street = Straße und Hausnummer
profile-postal-code = Postleitzahl
profile-locality = Ort
profile-country = Land

data-title = Ihre Daten
data-lead = Eine Kopie dessen, was hier über Sie aufbewahrt wird: Ihr Profil, Ihre Gruppen, wo Sie angemeldet sind und welche Apps Zugriff haben.
data-download = Meine Daten herunterladen
data-fine = Die Datei ist im Format JSON, das Programme lesen. Sie enthält keine Passwörter.

deletion-title = Ihr Konto löschen
deletion-lead = Sie können Ihr Konto für immer löschen lassen. Niemand sonst kann darum bitten.
deletion-grace = 14 Tage lang funktioniert alles wie bisher, und Sie können es sich anders überlegen.
deletion-after = Dann sind Ihr Profil, Ihre Gruppen, Ihre Anmeldungen und der Zugriff aller Apps weg, und niemand kann sie zurückholen.
deletion-name = Ihr Benutzername wird nie wieder vergeben, auch nicht an Sie.
deletion-password = Ihr Passwort, noch einmal
deletion-code = Der Code, den Ihre Authenticator-App gerade zeigt
deletion-ask = Mein Konto in 14 Tagen löschen
deletion-wrong = Das war nicht richtig. Bitte versuchen Sie es noch einmal.
deletion-needed = Niemand sonst verwaltet diese Organisationen. Lassen Sie zuerst jemand anderen sie verwalten, oder lassen Sie sie löschen. Bitten Sie dann noch einmal darum.
deletion-asked = Sie haben darum gebeten. Mehr ist nicht zu tun.
