application_group "meetings" {
  description  = "Whatever people meet in"
  applications = ["zoom", "netify.teams", "@google"]
}

application_group "google" {
  applications = ["google-meet", "google-drive"]
}

application_group "none" {
  applications = []
}

address_group "phones" {
  members = ["02:00:5E:10:00:01", "02-00-5e-10-00-02", "192.168.7.0/24", "@tablets"]
}

address_group "tablets" {
  members = ["0200.5e10.0003", "02:00:5e:10:00:01", "::ffff:192.168.7.1"]
}

policy "equal" {
  criteria = "app == '@meetings'"
  label    = "a"
}

policy "in" {
  criteria = "app in '@google' or app in ['@google', 'zoom']"
  label    = "a"
}

policy "not" {
  criteria = "app != '@google' and application not in ['@meetings']"
  label    = "a"
}

policy "devices" {
  criteria = "local_mac in '@phones' or local_ip in '@phones' or other_mac == '@tablets'"
  label    = "a"
}

policy "either" {
  criteria = "mac in ['@tablets', '02:00:5e:10:00:09']"
  label    = "a"
}
