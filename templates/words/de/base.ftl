base-host = Sie sind auf
base-fault = Fehler:
