# A hotel: guests by floor, conference rooms, back office.

netpol {
  timezone = "Europe/Vienna"
}

variable "floors" {
  type    = number
  default = 4
}

address_group "guests" {
  members = [for n in range(var.floors) : cidrsubnet("172.20.0.0/16", 8, n)]
}

address_group "conference" {
  members = ["172.20.200.0/24"]
}

address_group "back-office" {
  members = ["172.20.250.0/24"]
}

schedule "night" {
  hours = ["23:00-07:00"]
}

policy "back-office-is-its-own" {
  description = "Guests reach no host of the house"
  criteria    = "src_ip in '@guests' && dst_ip in '@back-office'"
  verdict     = "drop"
}

policy "conference-calls" {
  order    = -1
  criteria = "local_ip in '@conference' && category == 'voip-conferencing'"
  dscp     = "ef"
  halt     = true
}

policy "guests-torrents" {
  criteria = "local_ip in '@guests' && (protocol == 'bittorrent' || category == 'file-sharing')"
  dscp     = "cs1"
}

policy "long-downloads-by-day" {
  criteria = "local_ip in '@guests' && total_bytes > 2000000000 && schedule != 'night' && protocol != 'bittorrent' && category != 'file-sharing'"
  dscp     = "cs1"
}
