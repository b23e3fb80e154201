application_group "a" {
  applications = ["zom", "@b", "@c"] # ERROR NP0012: Unknown application # ERROR NP0112: Undefined group
}

application_group "b" {
  applications = ["@a"] # ERROR NP0113: Circular groups
}

address_group "macs" {
  members = ["02:00:5e:10:00:01"]
}

address_group "nets" {
  members = ["10.0.0.0/8"]
}

policy "use" {
  criteria = [
    "app == '@d'",          # ERROR NP0112: Undefined group
    "app == '@nets'",       # ERROR NP0112: Undefined group
    "local_ip in '@a'",     # ERROR NP0112: Undefined group
    "local_ip in '@macs'",  # ERROR NP0019: Invalid address
    "local_mac == '@nets'", # ERROR NP0131: Invalid MAC address
    "local_mac == '@none'", # ERROR NP0112: Undefined group
    "protocol == '@a'",     # ERROR NP0102: Unknown protocol
    "app contains '@a'",    # ERROR NP0012: Unknown application
  ]
  label = "x"
}
