base-host = You are at
base-fault = Error:
