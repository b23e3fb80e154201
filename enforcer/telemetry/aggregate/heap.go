package aggregate

// heap orders the rows of a full table by weight, the least first. Weights only grow, so a
// row is put in its place when it comes first and has grown since: what a heap has for a row is at most its
// weight, and counting for a key that is there costs no order.
type heap []weighed

// weighed is a row by the weight that it had when it was put in place.
type weighed struct {
	weight uint64
	row    uint32
}

// newHeap orders all rows.
func newHeap(t *table) heap {
	h := make(heap, t.rows)
	for i := range h {
		h[i] = weighed{t.at(uint32(i + 1)).weight(), uint32(i + 1)}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.settle(i)
	}
	return h
}

// least is the row of least weight.
func (h heap) least(t *table) uint32 {
	for {
		first := &h[0]
		weight := t.at(first.row).weight()
		if weight == first.weight {
			return first.row
		}
		first.weight = weight
		h.settle(0)
	}
}

// settle moves an entry whose weight has grown to its place.
func (h heap) settle(i int) {
	one := h[i]
	for {
		least := 2*i + 1
		if least >= len(h) {
			break
		}
		if other := least + 1; other < len(h) && h[other].weight < h[least].weight {
			least = other
		}
		if one.weight <= h[least].weight {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = one
}
