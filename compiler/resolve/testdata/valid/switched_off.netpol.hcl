# A policy that is switched off may be false without a word: imports write such.
policy "lost" {
  criteria = "false"
  verdict  = "drop"
  enabled  = false
}

policy "kept" {
  criteria = "app == 'zoom'"
  label    = "zoom"
}
