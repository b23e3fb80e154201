application "chat" {
  category = "voip"
  brand    = "our-house"
}

application "our-house" {
  category = "web"
}

application "google-meet" {
  brand = "our-house"
}

application "teams" {
  brand = "teams" # a brand of its own
}

policy "ours" {
  criteria = "brand == 'netify.our-house' || brand in ['teams', 'Zoom'] || brand == ''"
  label    = "ours"
}
