# A mobile provider: what counts against the volume and what does not.

address_group "subscribers" {
  members = ["10.128.0.0/10", "2001:db8:aaaa::/48"]
}

application "selfcare" {
  name     = "Customer portal"
  category = "telecom"
  domains  = ["my.example.net", "topup.example.net"]
}

policy "portal-is-free" {
  criteria = "local_ip in '@subscribers' && app == 'selfcare' && by in ['sni', 'cert', 'http', 'payload']"
  label    = "zero-rated"
  mark     = "0x10/0xf0"
}

policy "music-is-free" {
  description = "Only by the name that the flow itself shows, and not by address"
  criteria    = "local_ip in '@subscribers' && app in ['spotify', 'deezer'] && by in ['sni', 'cert', 'payload']"
  label       = "zero-rated"
  mark        = "0x20/0xf0"
}

policy "tethered" {
  criteria = "local_ip in '@subscribers' && http_user_agent contains 'windows nt'"
  label    = "tethering"
  mark     = "0x1/0xf"
}

policy "the-rest-counts" {
  criteria = "local_ip in '@subscribers'"
  exempt   = "app in ['selfcare', 'spotify', 'deezer']"
  label    = "metered"
  mark     = "0x80/0x80"
}
