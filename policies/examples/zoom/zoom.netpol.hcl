# Zoom before everything else.
#
# Every connection of a Zoom call gets the conntrack label "zoom" and leaves the
# router with DSCP CS5 (tos 0xa0): its TLS signalling, recognised by name, its
# media on UDP 8801, recognised by its own bytes, and the STUN packets to Zoom's
# networks. What DNS says of zoom.us is not Zoom and is left alone.
#
#   netpol plan policies/examples/zoom
#   netpol replay --policy policies/examples/zoom call.pcap

policy "prioritize-zoom" {
  description = "Video calls before bulk traffic"
  criteria    = "app == 'zoom'"
  label       = "zoom"
  dscp        = "cs5"
}
