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
