# Faults of evidence, safety, style and hygiene, each marked on its line.

netpol {
  exempt = "protocol == 'sip'"
}

address_group "forgotten" { # WANT unused-group
  members = ["10.9.0.0/24"]
}

address_group "office" {
  members = ["10.8.0.0/24", "10.8.0.77", "10.8.1.0/24"] # WANT duplicate-in-list
}

locals {
  unused = "cs1" # WANT unused-local
}

variable "unused" { # WANT unused-variable
  default = "cs1"
}

policy "guessed-block" {
  criteria = "app == 'netflix' and by == 'port'" # WANT weak-evidence
  verdict  = "reject"
}

policy "guessed-priority" {
  criteria = "app == 'spotify' and detection_guessed" # WANT weak-evidence
  dscp     = "ef"
}

policy "hbo-block" { # WANT unproven-block
  criteria = "app == 'twitter' and local_ip in '10.8.2.0/24'"
  verdict  = "reject"
}

policy "late" {
  criteria = "protocol == 'quic' and local_ip in '10.8.3.0/24' and detection_complete" # WANT late-field-block
  verdict  = "reject"
}

policy "prioritize-discord" { # WANT port-only-app
  criteria = "ip_protocol == 'udp' and dst_port in 50000..50100"
  dscp     = "cs5"
}

policy "no-gambling" { # WANT whole-category-block # WANT unproven-block
  criteria = "category == 'games'"
  verdict  = "reject"
}

policy "mwan-bits" {
  criteria = "app == 'dropbox'"
  mark     = "0x200/0x700" # WANT mark-collision
}

policy "all-bits" {
  criteria = "app == 'onedrive'"
  mark     = 1 # WANT mark-collision
}

policy "no-ssh" {
  criteria = "ip_protocol == 'tcp' and dst_port == 22"
  verdict  = "drop" # WANT management-lockout
}

policy "mixed" {
  criteria = "app == 'github' or protocol == 'git' and local_ip in '@office'" # WANT mixed-and-or
  dscp     = "af21"
}

policy "twice-in-list" {
  criteria = "app in ['wikipedia', 'bbc', 'wikipedia']" # WANT duplicate-in-list
  dscp     = "af12"
}

policy "anywhere" {
  criteria = "hostname matches 'updates[.]example[.]com' and ip_version == 6" # WANT unanchored-regex
  dscp     = "cs1"
}

policy "any-character" {
  criteria = "hostname matches '^node[0-9]+.example.com$' and ip_version == 4" # WANT unescaped-dot
  dscp     = "cs1"
}

policy "plain-regex" {
  criteria = "http_user_agent matches '^wget' and ip_version == 4 and vlan_id == 3" # WANT slow-regex
  dscp     = "le"
}

policy "nft-word" {
  criteria = "protocol == 'smtp' and vlan_id == 9"
  label    = "queue" # WANT label-name
  dscp     = "af13"
}

policy "idle" {
  criteria = "protocol == 'imap'"
  label    = "mail" # WANT idle-label
}

# netpol-ignore: NP0503 the order is meant # WANT unused-ignore
policy "stale-ignore" {
  criteria = "protocol == 'ntp' and vlan_id == 5"
  dscp     = "cs6"
}

policy "no-reason" {
  criteria = "protocol == 'snmp'"
  # NEXT bad-ignore
  # netpol-ignore: idle-label
  label = "monitoring" # WANT idle-label
}
