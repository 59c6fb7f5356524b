# The pages of one's own account.
account-nav = Your account
account-nav-overview = Overview
account-nav-profile = Profile
account-nav-email = E-mail
account-nav-password = Password
account-nav-factors = Second factors
account-nav-sessions = Devices
account-nav-apps = Apps
account-nav-data = Your data
account-nav-deletion = Delete
account-who = Signed in as { $name }
account-sign-out = Sign out

# The warning on every page, while an account waits to be deleted.
leaving-text = { $days ->
    [0] Your account will be deleted today.
    [one] Your account will be deleted within one day.
   *[other] Your account will be deleted in { $days } days.
}
leaving-until = Until { $date } everything works as before, and you can keep your account.
leaving-cancel = Keep my account

overview-title = You are signed in
overview-lead = Apps of your organization can now ask for your sign-in.
overview-name = Name
overview-username = Username
overview-email = E-mail
overview-factor = Second factor
overview-factor-on = on
overview-factor-off = off
