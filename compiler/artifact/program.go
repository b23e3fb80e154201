package artifact

// Program is the decision program in its serialised form. compiler/emit/prog
// writes it, enforcer/program loads it.
type Program struct{}
