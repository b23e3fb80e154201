sink "accounts" {
  type = "file"
  path = "/var/log/netpol/accounts.jsonl"
}

aggregate "defaults" {
  by   = "local_ip"
  sink = "accounts"
}

aggregate "health" {
  by     = "application"
  health = true
  sink   = "accounts"
}

aggregate "netify" {
  layout = "netify-4"
  top    = 100000
  sink   = ["accounts"]
}

aggregate "all" {
  description    = "for the accounts"
  by             = ["policy", "address_group", "application"]
  policies       = ["zero-rated", "rest"]
  address_groups = ["@gold", "silver"]
  interval       = "5m"
  top            = 10
  keys           = 16
  health         = true
  when           = "app == 'zoom'"
  sink           = "accounts"
}
