set "no kind" { # ERROR NP0014: Invalid name
  kind = "nft"
}

set "kindless" { # ERROR NP0009: Missing required argument
  type = "local_addr"
}

set "kinds" {
  kind = "nftset" # ERROR NP0047: Invalid set
  type = "local_addr"
}

set "fields" {
  kind = "nft"
  type = ["local_addr", "othr_port", "local_addr"] # ERROR NP0047: Invalid set # ERROR NP0047: Invalid set
}

set "wide" {
  kind = "nft"
  type = ["local_addr", "other_addr", "local_mac", "other_mac", "interface", "mark"] # ERROR NP0047: Invalid set
}

set "places" {
  kind     = "nft"
  family   = "ip6" # ERROR NP0047: Invalid set
  type     = "local_addr"
  families = ["ipv4"] # ERROR NP0047: Invalid set
  address  = "local"  # ERROR NP0047: Invalid set
  managed  = false    # ERROR NP0047: Invalid set
}

set "own" {
  kind  = "nft"
  table = "netpol" # ERROR NP0047: Invalid set
  type  = "ip_proto"
  name  = "a b" # ERROR NP0047: Invalid set
}

set "ipset" {
  kind     = "ipset"
  table    = "fw4"          # ERROR NP0047: Invalid set
  type     = "hash:ip,prot" # ERROR NP0047: Invalid set
  timeout  = "5min utes"    # ERROR NP0047: Invalid set
  skb_prio = "high"         # ERROR NP0047: Invalid set
}

set "long" {
  kind    = "ipset"
  type    = "hash:ip"
  timeout = "5s"                           # ERROR NP0047: Invalid set
  name    = "abcdefghijklmnopqrstuvwxyzab_" # ERROR NP0047: Invalid set
}

set "macs" {
  kind     = "ipset"
  type     = "hash:mac"
  families = ["ipv4"] # ERROR NP0047: Invalid set
  size     = 0        # ERROR NP0023: Number out of range
}

policy "p" {
  criteria = "app == 'zoom'"
  add      = ["a", "a"] # ERROR NP0011: Duplicate definition
}
