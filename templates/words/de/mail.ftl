# Briefe. Jede Art hat einen Betreff, einen Text (eine Leerzeile beendet einen Absatz) und, wenn sie
# einen Link mitbringt, die Aufschrift des Knopfes.

mail-footer = Diese Nachricht kommt von { $host }. Antworten darauf liest niemand.
mail-or-copy = Wenn der Knopf nicht funktioniert, kopieren Sie diese Adresse in Ihren Browser:

mail-test-subject = Eine Testnachricht von { $host }
mail-test-text =
    Mit dieser Nachricht wurde geprüft, ob Nachrichten von { $host } ankommen. Sie kommen an.

    Sie müssen nichts tun.
mail-test-link = { $host } öffnen
