policy "rest" {
  order    = 10
  criteria = "true"
  dscp     = "cs1"
}

policy "guests" {
  criteria  = "local_ip in '192.168.2.0/24'"
  interface = ["wlan1", "wlan0", "wlan1"]
  verdict   = "drop"
}

policy "printer" {
  order     = -1
  criteria  = "local_ip == '192.168.2.9'"
  exempt    = "app == 'zoom'"
  interface = "wlan0"
  halt      = true
}

policy "zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
  halt     = true
}

policy "teams" {
  criteria = "app == 'teams'"
  label    = "teams"
}

policy "off" {
  criteria = "app == 'teams'"
  halt     = true
  enabled  = false
}
