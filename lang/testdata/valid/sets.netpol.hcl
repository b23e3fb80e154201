set "blocks" {
  kind = "nft"
  type = ["local_addr", "ip_proto", "other_port", "other_addr"]
}

set "fw" {
  description      = "the firewall's own"
  kind             = "nft"
  family           = "ip"
  table            = "fw4"
  name             = "nfa.blocks.v4"
  type             = "local_mac"
  timeout          = "1h"
  size             = 100
  managed          = true
  flush_on_create  = true
  flush_on_destroy = true
}

set "games" {
  kind      = "ipset"
  type      = "hash:ip,port,ip"
  families  = ["ipv4"]
  skb_mark  = "0x10"
  skb_prio  = "1:10"
  skb_queue = 3
}

set "hosts" {
  kind    = "ipset"
  type    = "hash:net"
  address = "local"
  timeout = "0s"
  managed = true
}

policy "p" {
  criteria = "app == 'zoom'"
  add      = ["blocks", "games"]
}
