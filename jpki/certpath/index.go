package certpath

// index finds the possible issuers of a certificate by name, and knows how far each name is from an anchor, so that the
// search goes straight and never into a part of the pool that leads nowhere.
type index struct {
	anchors   map[string][]*Certificate // by subject
	bySubject map[string][]*Certificate
	// distance is the number of certificates on the shortest chain of names from an anchor down to, and including, one
	// with this subject.
	distance map[string]int
}

func newIndex(anchors, pool []*Certificate) *index {
	x := &index{
		anchors: map[string][]*Certificate{}, bySubject: map[string][]*Certificate{}, distance: map[string]int{},
	}
	for _, a := range anchors {
		x.anchors[a.subject.Key] = append(x.anchors[a.subject.Key], a)
	}
	byIssuer := map[string][]*Certificate{}
	seen := map[[32]byte]bool{}
	for _, c := range pool {
		if seen[c.fingerprint] {
			continue
		}
		seen[c.fingerprint] = true
		x.bySubject[c.subject.Key] = append(x.bySubject[c.subject.Key], c)
		byIssuer[c.issuer.Key] = append(byIssuer[c.issuer.Key], c)
	}
	var queue []string
	for subject := range x.anchors {
		x.distance[subject] = 0
		queue = append(queue, subject)
	}
	expanded := map[string]bool{}
	for len(queue) > 0 {
		subject := queue[0]
		queue = queue[1:]
		if expanded[subject] {
			continue
		}
		expanded[subject] = true
		for _, c := range byIssuer[subject] {
			if _, known := x.distance[c.subject.Key]; !known {
				x.distance[c.subject.Key] = x.distance[subject] + 1
				queue = append(queue, c.subject.Key)
			}
		}
	}
	return x
}
