input "no name" { # ERROR NP0014: Invalid name
  interface = "eth1"
}

input "deaf" { # ERROR NP0009: Missing required argument
  promiscuous = false
}

input "mirror" {
  interface     = "eth1"
  first_packets = -1                # ERROR NP0023: Number out of range
  unwrap        = ["vxlan", "vlan"] # ERROR NP0050: Unknown encapsulation
}

input "inside" {
  interface = "br-lan"
  role      = "LAN" # ERROR NP0054: Invalid input
}

input "again" {
  interface = "eth2"
  buffer    = "port 53" # ERROR NP0008: Unknown argument
}

input "twice" {
  interface = "eth3"
}

input "twice" { # ERROR NP0011: Duplicate definition
  interface = "eth4"
}
