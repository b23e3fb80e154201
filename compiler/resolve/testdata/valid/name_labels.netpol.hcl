netpol {
  label_applications = ["google-drive", "@meetings", "netify.zoom", "named"]
  label_categories   = "named"
  exempt             = "local_ip == '192.168.1.1'"
}

application_group "meetings" {
  applications = ["zoom", "google-meet"]
}

policy "calls-first" {
  criteria = "category == 'voip' and app != 'teams'"
  dscp     = "ef"
  halt     = true
}
