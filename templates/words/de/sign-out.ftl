sign-out-title = Abmelden?
sign-out-app = { $app } möchte Sie abmelden.
sign-out-lead = Apps, die Sie mit dieser Anmeldung nutzen, verlieren ihren Zugang.
sign-out-confirm = Abmelden
sign-out-cancel = Angemeldet bleiben

signed-out-title = Sie sind abgemeldet
signed-out-telling = Ihre Apps werden benachrichtigt. Sie werden gleich weitergeleitet.
signed-out-go-on = Weiter
signed-out-lead = Schließen Sie an einem gemeinsam genutzten Computer auch den Browser.
signed-out-again = Neu anmelden
signed-out-frame = Meldet Sie bei einer App ab
