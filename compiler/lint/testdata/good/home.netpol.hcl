# A home: calls first, films and downloads behind, children's bedtime by address.

netpol {
  exempt = "protocol == 'ssh' or local_ip in '192.168.1.1'"
}

address_group "children" {
  description = "The children's devices"
  members     = ["192.168.1.64/26", "@tablets"]
}

address_group "tablets" {
  members = ["192.168.1.20", "192.168.1.21"]
}

locals {
  behind = "cs1"
  video  = "app in ['netflix', 'youtube', 'twitch']"
}

variable "guest_net" {
  type    = string
  default = "192.168.50.0/24"
}

address_group "guests" {
  members = [var.guest_net]
}

policy "zoom-first" {
  description = "Video calls before everything"
  criteria    = "app == 'zoom'"
  label       = "calls"
  dscp        = "cs5"
}

policy "other-calls" {
  criteria = "category == 'voip-conferencing' and protocol != 'bittorrent'"
  label    = "calls"
  dscp     = "af41"
}

policy "films" {
  criteria = local.video
  label    = "films"
  dscp     = "af31"
}

policy "torrents-last" {
  criteria = "protocol == 'bittorrent'"
  label    = "bulk"
  dscp     = local.behind
}

policy "no-discord-for-children" {
  criteria = "local_ip in '@children' and app == 'discord' and not detection_guessed"
  verdict  = "reject"
}

policy "no-mail-from-guests" {
  criteria = "src_ip in '@guests' and ip_protocol == 'tcp' and dst_port in [25, 465, 587]"
  verdict  = "drop"
}
