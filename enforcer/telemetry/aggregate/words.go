package aggregate

// maxWords bounds the words that are remembered: applications, protocols,
// interfaces, policies and groups are some thousand. Past it new ones are one, "?".
const maxWords = 1 << 16

// words are the strings of keys, by their places. 0 is the empty one.
type words struct {
	list   []string
	brands []string // of the applications among them, by the same places; shorter where there are none
	index  map[string]uint32
	// Those that were asked for lately, as a few are again and again: by some of their letters.
	recent [64]struct {
		word string
		at   uint32
	}
}

func newWords() *words {
	return &words{list: []string{"", "?"}, index: map[string]uint32{}}
}

// of is the place of a word.
func (w *words) of(s string) uint32 {
	if s == "" {
		return 0
	}
	recent := &w.recent[(s[0]^s[len(s)/2]<<3^s[len(s)-1]<<1^byte(len(s)))%64]
	if recent.word != s {
		recent.word, recent.at = s, w.look(s)
	}
	return recent.at
}

// look finds the place of a word, or gives it one.
func (w *words) look(s string) uint32 {
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

// brand notes the brand of an application.
func (w *words) brand(application, brand string) {
	i := w.of(application)
	if i < 2 || int(i) < len(w.brands) && w.brands[i] != "" {
		return
	}
	for len(w.brands) <= int(i) {
		w.brands = append(w.brands, "")
	}
	w.brands[i] = brand
}

// pair packs two words.
func (w *words) pair(high, low string) uint64 { return uint64(w.of(high))<<32 | uint64(w.of(low)) }

// split is what pair packed.
func (w *words) split(p uint64) (high, low string) { return w.list[p>>32], w.list[uint32(p)] }

// brandOf is the brand of the first word that pair packed.
func (w *words) brandOf(p uint64) string {
	if i := int(p >> 32); i < len(w.brands) {
		return w.brands[i]
	}
	return ""
}

// snapshot is the words so far, to be read while others come.
func (w *words) snapshot() words {
	return words{list: w.list[:len(w.list):len(w.list)], brands: append([]string(nil), w.brands...)}
}
