package crl

import (
	"context"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// builder collects records for a table.
type builder struct {
	layout

	seed     seed
	shift    int
	open     []openPartition
	next     []uint32 // next page of the same partition
	arenas   [][]byte
	count    int // of records
	expected int // pages

	made       *table // being sorted; nil before
	sorted     []bool // which of its partitions are done
	duplicates atomic.Int64
}

// openPartition is a partition that is being filled.
type openPartition struct {
	page        []byte // the last page
	fill        uint32 // records in it
	full        uint32 // pages before it
	first, last uint32 // page numbers; valid when page is not nil
}

// newBuilder prepares for about the expected number of records; more or fewer cost speed only.
func newBuilder(s seed, expected int) *builder {
	parts := (expected + partitionRecords - 1) / partitionRecords
	width := min(bits.Len(uint(max(parts-1, 0))), maxPartitionBits)
	b := &builder{
		layout:   newLayout(width),
		seed:     s,
		shift:    64 - width,
		open:     make([]openPartition, 1<<width),
		expected: 1,
	}
	if parts > 1 { // the last page of each partition is half empty
		b.expected = expected/int(b.records) + 1<<width/2
	} else if expected > 0 {
		b.expected = int(b.pagesFor(uint32(expected))) //nolint:gosec // at most partitionRecords
	}
	return b
}

// add adds a record; the value has valueBits.
func (b *builder) add(key, value uint64) {
	mixed := b.seed.mix(key)
	p := &b.open[mixed>>b.shift]
	if p.page == nil || p.fill == b.records {
		b.grow(p)
	}
	b.setRecord(p.page, p.fill, mixed, value)
	p.fill++
	b.count++
}

// grow gives the partition its next page.
func (b *builder) grow(p *openPartition) {
	number := uint32(len(b.next)) //nolint:gosec // limits.CRL bounds the pages far below 2³²
	b.next = append(b.next, 0)
	if number%arenaPages == 0 {
		// A short list gets no more than it needs.
		pages := min(max(b.expected-int(number), 1), arenaPages)
		b.arenas = append(b.arenas, make([]byte, 0, pages*pageSize))
	}
	last := len(b.arenas) - 1
	arena := b.arenas[last]
	if len(arena) == cap(arena) {
		// The estimate was too low. Pages that are in use move, so open partitions are pointed to their new place.
		pages := cap(arena) / pageSize
		arena = append(make([]byte, 0, min(pages+max(pages/4, 1), arenaPages)*pageSize), arena...)
		b.arenas[last] = arena
		b.repoint()
	}
	arena = arena[:len(arena)+pageSize]
	b.arenas[last] = arena
	if p.page == nil {
		p.first = number
	} else {
		b.next[p.last] = number
		p.full++
	}
	p.last, p.fill = number, 0
	p.page = b.page(number)
}

func (b *builder) page(number uint32) []byte {
	at := number % arenaPages * pageSize
	return b.arenas[number/arenaPages][at : at+pageSize : at+pageSize]
}

func (b *builder) repoint() {
	for i := range b.open {
		if p := &b.open[i]; p.page != nil {
			p.page = b.page(p.last)
		}
	}
}

// table sorts every partition in place and returns the table. unique reports whether all keys differ. When the context
// ends it may be called again: what is sorted stays so.
func (b *builder) table(ctx context.Context, progress func(done int)) (t *table, unique bool, err error) {
	if b.made == nil {
		b.made = b.gather()
		b.sorted = make([]bool, len(b.made.partitions))
	}
	t = b.made
	var next, done atomic.Int64
	work := func(report bool) {
		var s sorter
		for {
			i := int(next.Add(1)) - 1
			if i >= len(t.partitions) || ctx.Err() != nil {
				return
			}
			if !b.sorted[i] {
				if !s.sort(t, i) {
					b.duplicates.Add(1)
				}
				b.sorted[i] = true
			}
			if total := done.Add(int64(t.partitions[i].records)); report && progress != nil && i%64 == 0 {
				progress(int(total))
			}
		}
	}
	if workers := min(runtime.GOMAXPROCS(0), 8, len(t.partitions)/8); workers > 1 {
		var group sync.WaitGroup
		for range workers - 1 {
			group.Go(func() { work(false) })
		}
		work(true)
		group.Wait()
	} else {
		work(true)
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if progress != nil {
		progress(int(done.Load())) // whoever came last, the last report is the whole
	}
	return t, b.duplicates.Load() == 0, nil
}

// gather puts the pages of each partition one after the other.
func (b *builder) gather() *table {
	t := &table{
		layout:     b.layout,
		seed:       b.seed,
		partitions: make([]partition, len(b.open)),
		pages:      make([]uint32, 0, len(b.next)),
		slots:      make([]uint16, len(b.open)<<slotBits),
		arenas:     b.arenas,
		count:      b.count,
	}
	for i := range b.open {
		p := &b.open[i]
		if p.page == nil {
			continue
		}
		t.partitions[i] = partition{uint32(len(t.pages)), p.full*b.records + p.fill} //nolint:gosec // as above
		for number := p.first; ; number = b.next[number] {
			t.pages = append(t.pages, number)
			if number == p.last {
				break
			}
		}
	}
	b.open, b.next = nil, nil
	return t
}

type pair struct{ key, value uint64 }

// sorter has the scratch space of one worker.
type sorter struct {
	sorted []pair
	starts [1<<sorterBits + 1]uint32
}

const (
	sorterBits = 11
	// maxCluster is the largest number of records of one partition in one of its 2¹¹ slots for which the records are
	// straightened by insertion, which is quadratic in it.
	maxCluster = 64
)

// sort sorts a partition by key, fills its directory, and reports whether all its keys differ.
func (s *sorter) sort(t *table, number int) (unique bool) {
	p := t.partitions[number]
	n := p.records
	if n == 0 {
		return true
	}
	s.sorted = slices.Grow(s.sorted[:0], int(n))[:n]
	s.starts = [1<<sorterBits + 1]uint32{}
	pages := t.pages[p.firstPage:][:t.pagesFor(n)]
	left := n
	for _, number := range pages {
		page := t.page(number)
		for i := range min(left, t.records) {
			key, _ := t.record(page, i)
			s.starts[key<<t.bits>>(64-sorterBits)+1]++
		}
		left -= min(left, t.records)
	}
	var most uint32
	for i := 1; i < len(s.starts); i++ {
		most = max(most, s.starts[i])
		s.starts[i] += s.starts[i-1]
	}
	if n <= maxSlotted {
		slots := t.slots[number<<slotBits : (number+1)<<slotBits]
		for i := range slots {
			slots[i] = uint16(s.starts[i<<(sorterBits-slotBits)]) //nolint:gosec // at most maxSlotted
		}
	}
	left = n
	for _, number := range pages {
		page := t.page(number)
		for i := range min(left, t.records) {
			key, value := t.record(page, i)
			at := &s.starts[key<<t.bits>>(64-sorterBits)]
			s.sorted[*at] = pair{key, value}
			*at++
		}
		left -= min(left, t.records)
	}
	if most <= maxCluster {
		for i := 1; i < len(s.sorted); i++ {
			one := s.sorted[i]
			j := i
			for ; j > 0 && s.sorted[j-1].key > one.key; j-- {
				s.sorted[j] = s.sorted[j-1]
			}
			s.sorted[j] = one
		}
	} else {
		slices.SortFunc(s.sorted, func(a, b pair) int {
			switch {
			case a.key < b.key:
				return -1
			case a.key > b.key:
				return +1
			}
			return 0
		})
	}
	unique = true
	for i := 1; i < len(s.sorted); i++ {
		unique = unique && s.sorted[i-1].key != s.sorted[i].key
	}
	rest := s.sorted
	for _, number := range pages {
		page := t.page(number)
		some := rest[:min(len(rest), int(t.records))]
		for i := range some {
			t.setRecord(page, uint32(i), some[i].key, some[i].value) //nolint:gosec // at most t.records
		}
		rest = rest[len(some):]
	}
	return unique
}
