# A gaming cafe: games before everything, updates at night, no mining.

netpol {
  timezone = "Asia/Seoul"
}

address_group "seats" {
  members = ["192.168.88.0/24"]
}

application_group "launchers" {
  applications = ["battle-net", "steam", "@consoles"]
}

application_group "consoles" {
  applications = ["roblox"]
}

schedule "open" {
  hours = ["10:00-02:00"]
}

policy "updates-while-open" {
  criteria = "local_ip in '@seats' && (app in '@launchers' && total_bytes > 50000000)"
  schedule = "open"
  label    = "updates"
  mark     = "0x2/0x2"
}

policy "games-first" {
  criteria = "category == 'games' && total_bytes <= 50000000"
  dscp     = "cs4"
}

policy "voice" {
  criteria = "protocol in ['discord-voice', 'teamspeak', 'mumble']"
  dscp     = "ef"
}

policy "no-mining" {
  criteria = "local_ip in '@seats' && protocol in ['mining', 'bitcoin', 'monero']"
  verdict  = "reject"
}
