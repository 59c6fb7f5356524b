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

sessions-title = Where you are signed in
sessions-lead = These devices and browsers are signed in with your account. End those that you do not know, and change your password.
sessions-device = { $program } on { $system }
sessions-device-unknown = Unknown device
sessions-here = This one
sessions-place = Place, about
sessions-network = network { $network }
sessions-since = Signed in
sessions-last-seen = Last used
sessions-end = Sign out there
sessions-end-others = Sign out everywhere else
sessions-fine = The place is where the network was that you signed in from. It may be wrong by far, and is forgotten when the session ends.

apps-title = Apps with access
apps-none = No app has access to your account.
apps-lead = You allowed these apps to act for you.
apps-account = An app of { $account }
apps-since = Since
apps-last-used = Last used, about
apps-not-now = It has no access now, but would get it again without asking you.
apps-withdraw = Take access away
apps-fine = An app whose access you take away stops at once. It can ask you again.

profile-title = Your profile
profile-lead = Apps that you allow to see your profile see this. You may leave every field empty.
profile-saved = Saved.
profile-fault = One field cannot be saved as it is. Please look at the marked one.
profile-save = Save
profile-name = Full name
profile-given-name = Given name
profile-middle-name = Middle name
profile-family-name = Family name
profile-nickname = What friends call you
profile-birthdate = Date of birth
profile-birthdate-hint = Year, month, day, such as 1948-03-27. The year alone is enough.
profile-phone = Phone number
profile-phone-hint = Such as +41 31 123 45 67
profile-website = Website
profile-website-hint = Such as https://example.org
profile-locale = Language
profile-locale-hint = In short, such as en or de-CH
profile-zone = Time zone
profile-zone-hint = Such as Europe/Zurich
profile-street = Street and number
profile-postal-code = Postal code
profile-locality = Town
profile-country = Country

data-title = Your data
data-lead = A copy of what is kept about you here: your profile, your groups, where you are signed in, and which apps have access.
data-download = Download my data
data-fine = The file is in the format JSON, which programs read. It holds no passwords.

deletion-title = Delete your account
deletion-lead = You can have your account deleted for good. Nobody else can ask for it.
deletion-grace = For 14 days everything works as before, and you can change your mind.
deletion-after = Then your profile, your groups, your sign-ins and the access of all apps are gone, and nobody can bring them back.
deletion-name = Your username is never given to anybody again, not even to you.
deletion-password = Your password, once more
deletion-code = The code that your authenticator app shows now
deletion-ask = Delete my account in 14 days
deletion-wrong = That was not right. Please try again.
deletion-needed = Nobody else administers these organizations. Let somebody else administer them, or have them deleted first. Then ask again.
deletion-asked = You asked for it. There is nothing more to do.
