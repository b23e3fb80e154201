# Faults of logic, each marked on its line.

policy "two-apps" { # WANT never-true
  criteria = "app == 'slack' and app == 'spotify'"
  dscp     = "af11"
}

policy "wrong-category" { # WANT never-true
  criteria = "app == 'slack' and category == 'games'"
  dscp     = "af11"
}

policy "no-such-port" { # WANT never-true
  criteria = "dst_port > 5000 and dst_port < 4000"
  dscp     = "af11"
}

policy "two-networks" { # WANT never-true
  criteria = "src_ip in '172.20.0.0/16' and src_ip in '172.21.0.0/16'"
  dscp     = "af11"
}

policy "mixed-families" { # WANT never-true
  criteria = "src_ip in '172.20.0.0/16' and dst_ip in '2001:db8:1::/48'"
  dscp     = "af11"
}

policy "host-of-both" { # WANT never-true
  criteria = "domain(hostname, 'a.example.org') and hostname == 'www.b.example.org'"
  dscp     = "af11"
}

policy "swallowed" { # WANT never-true
  criteria = "dst_ip in '172.30.1.0/24'"
  exempt   = "dst_ip in '172.30.0.0/16'"
  dscp     = "af11"
}

policy "tls-of-old" { # WANT never-true
  criteria = "tls_version >= '1.3' and tls_version < '1.2'"
  dscp     = "af11"
}

policy "either-way" { # WANT always-true
  criteria = "app != 'slack' or protocol != 'tls' or app == 'slack'"
  labels   = ["all"] # WANT idle-label
}

policy "chat" {
  criteria = "app in ['slack', 'discord']"
  mark     = "0x1/0x3"
}

policy "slack" { # WANT shadowed-policy
  criteria = "app == 'slack' and local_ip in '10.0.0.0/8'"
  mark     = "0x2/0x3"
}

policy "chat-again" { # WANT duplicate-policy
  criteria = ["application == 'discord'", "app == 'slack'"]
  mark     = "0x1/0x3"
}

policy "music-and-chat" { # WANT conflicting-policies
  criteria = "app in ['discord', 'spotify']"
  mark     = "0x2/0x3"
}

policy "low" {
  criteria = "ip_protocol == 'udp' and dst_port in 20000..25000"
  dscp     = "cs1"
}

policy "high" {
  criteria = "ip_protocol == 'udp' and dst_port in 25001..30000"
  dscp     = "cs1"
}

policy "between" { # WANT shadowed-policy
  criteria = "ip_protocol == 'udp' and dst_port in 24000..26000"
  dscp     = "ef"
}

policy "torrent-block" {
  criteria = "protocol == 'bittorrent' and not detection_guessed"
  verdict  = "drop"
}

policy "servers-may" { # WANT conflicting-policies
  criteria = "local_ip in '10.5.0.0/24' and protocol != 'ssh'"
  verdict  = "accept"
}

policy "dead-branch" {
  criteria = "protocol == 'dns' and (dst_port == 53 or protocol == 'mdns')" # WANT dead-alternative
  dscp     = "cs4"
}

policy "said-twice" {
  criteria = "app == 'wikipedia' and category == 'education'" # WANT needless-condition
  dscp     = "cs3"
}

policy "wrong-exemption" {
  criteria = "app == 'bbc'"
  exempt   = "app == 'wikipedia'" # WANT exempt-never-reached
  dscp     = "cs2"
}
