package aggregate

// maxWords bounds the words that are remembered: applications, protocols,
// interfaces, policies and groups are some thousand. Past it new ones are one, "?".
const maxWords = 1 << 16

// words are the strings of keys, by their places. 0 is the empty one.
type words struct {
	list  []string
	index map[string]uint32
}

func newWords() *words {
	return &words{list: []string{"", "?"}, index: map[string]uint32{}}
}

// of is the place of a word.
func (w *words) of(s string) uint32 {
	if s == "" {
		return 0
	}
	i, ok := w.index[s]
	switch {
	case ok:
		return i
	case len(w.list) >= maxWords:
		return 1
	}
	i = uint32(len(w.list))
	w.list = append(w.list, s)
	w.index[s] = i
	return i
}

// pair packs two words.
func (w *words) pair(high, low string) uint64 { return uint64(w.of(high))<<32 | uint64(w.of(low)) }

// split is what pair packed.
func (w *words) split(p uint64) (high, low string) { return w.list[p>>32], w.list[uint32(p)] }
