policy "prioritize-zoom" {
  description = "Video calls before bulk traffic"
  criteria    = "app == 'zoom'"
  label       = "zoom" # a conntrack label
  dscp        = "cs5"  # tos 0xa0 on the wire
}

policy "name-file-sharing" {
  description = "Seen, not changed"
  criteria    = "category == 'file-sharing'"
  label       = "bulk"
}
