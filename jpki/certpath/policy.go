package certpath

import (
	"maps"
	"slices"

	"github.com/kakunin-go/kakunin/internal/limits"
)

// anyPolicy is the content of the OID 2.5.29.32.0.
const anyPolicy = "\x55\x1d\x20\x00"

// policyNode is a node of the valid_policy_graph. At one depth there is at most one node for each policy (RFC 9618,
// 5.2), so that the graph grows with the number of policies and not, like the tree of RFC 5280, 6.1.2 (a), with their
// product.
type policyNode struct {
	policy   string
	expected []string
	parents  []*policyNode
	// children counts the children that are still in the graph.
	children int
	removed  bool
}

// policyGraph is the state of policy processing (RFC 5280, 6.1.2 as updated by RFC 9618). levels is nil for NULL.
type policyGraph struct {
	levels []map[string]*policyNode
	// explicit, mapping and inhibitAny are explicit_policy, policy_mapping and inhibit_anyPolicy.
	explicit, mapping, inhibitAny int
}

// newPolicyGraph applies RFC 5280, 6.1.2 (a), (d), (e), (f) for a path of n certificates.
func newPolicyGraph(n int, requireExplicit, inhibitMapping, inhibitAny bool) *policyGraph {
	g := &policyGraph{
		levels:   []map[string]*policyNode{{anyPolicy: {policy: anyPolicy, expected: []string{anyPolicy}}}},
		explicit: n + 1, mapping: n + 1, inhibitAny: n + 1,
	}
	if requireExplicit {
		g.explicit = 0
	}
	if inhibitMapping {
		g.mapping = 0
	}
	if inhibitAny {
		g.inhibitAny = 0
	}
	return g
}

func (g *policyGraph) null() bool { return g.levels == nil }

// certificate applies RFC 5280, 6.1.3 (d) and (e). final is true for the target.
func (g *policyGraph) certificate(c *Certificate, final bool) {
	if !c.policies.present {
		g.levels = nil // (e)
	}
	if g.null() {
		return
	}
	last := g.levels[len(g.levels)-1]
	level := make(map[string]*policyNode, len(c.policies.ids))
	expecting := map[string][]*policyNode{}
	for _, node := range last {
		for _, p := range node.expected {
			expecting[p] = append(expecting[p], node)
		}
	}
	add := func(policy string, parents []*policyNode) {
		level[policy] = &policyNode{policy: policy, expected: []string{policy}, parents: parents}
		for _, p := range parents {
			p.children++
		}
	}
	hasAny := false
	for _, policy := range c.policies.ids { // (d)(1)
		if policy == anyPolicy {
			hasAny = true
			continue
		}
		if parents := expecting[policy]; len(parents) > 0 {
			add(policy, parents)
		} else if parent := last[anyPolicy]; parent != nil {
			add(policy, []*policyNode{parent})
		}
	}
	if hasAny && (g.inhibitAny > 0 || !final && c.selfIssued()) { // (d)(2)
		for policy, parents := range expecting {
			if level[policy] == nil {
				add(policy, parents)
			}
		}
	}
	g.levels = append(g.levels, level)
	g.prune(len(g.levels) - 2) // (d)(3)
}

// prune removes nodes without children from the depth upwards, then the graph when its root has gone.
func (g *policyGraph) prune(from int) {
	for depth := from; depth >= 0; depth-- {
		for _, node := range g.levels[depth] {
			if node.children == 0 {
				g.remove(depth, node)
			}
		}
	}
	if len(g.levels[0]) == 0 || len(g.levels[len(g.levels)-1]) == 0 {
		g.levels = nil
	}
}

func (g *policyGraph) remove(depth int, node *policyNode) {
	node.removed = true
	delete(g.levels[depth], node.policy)
	for _, p := range node.parents {
		p.children--
	}
}

// mappings applies RFC 5280, 6.1.4 (b). The caller has applied (a).
func (g *policyGraph) mappings(list []mapping) {
	if g.null() || len(list) == 0 {
		return
	}
	depth := len(g.levels) - 1
	level := g.levels[depth]
	byIssuer := map[string][]string{}
	for _, m := range list {
		if !slices.Contains(byIssuer[m.issuer], m.subject) {
			byIssuer[m.issuer] = append(byIssuer[m.issuer], m.subject)
		}
	}
	for issuer, subjects := range byIssuer {
		node, wild := level[issuer], level[anyPolicy]
		switch {
		case g.mapping == 0 && node != nil: // (2)
			g.remove(depth, node)
		case g.mapping == 0:
		case node != nil: // (1), a node with the policy
			node.expected = subjects
		case wild != nil: // (1), no node, but one with anyPolicy
			level[issuer] = &policyNode{policy: issuer, expected: subjects, parents: wild.parents}
			for _, p := range wild.parents {
				p.children++
			}
		}
	}
	if g.mapping == 0 {
		g.prune(depth - 1)
	}
}

// next applies RFC 5280, 6.1.4 (h), (i) and (j) after an intermediate certificate.
func (g *policyGraph) next(c *Certificate) {
	if !c.selfIssued() { // (h)
		g.explicit, g.mapping, g.inhibitAny = lower(g.explicit), lower(g.mapping), lower(g.inhibitAny)
	}
	if v := c.policyConstraints.requireExplicit; v >= 0 { // (i)
		g.explicit = min(g.explicit, v)
	}
	if v := c.policyConstraints.inhibitMapping; v >= 0 {
		g.mapping = min(g.mapping, v)
	}
	if v := c.inhibitAny; v >= 0 { // (j)
		g.inhibitAny = min(g.inhibitAny, v)
	}
}

func lower(n int) int { return max(n-1, 0) }

// finish applies RFC 5280, 6.1.5 (a), (b) and (g): it returns the user-constrained-policy-set, in order, and whether
// the path is acceptable. initial is the user-initial-policy-set; empty means any-policy.
func (g *policyGraph) finish(target *Certificate, initial []string) (policies []string, ok bool) {
	g.explicit = lower(g.explicit)                     // (a)
	if target.policyConstraints.requireExplicit == 0 { // (b)
		g.explicit = 0
	}
	policies = g.constrained(initial)
	return policies, g.explicit > 0 || len(policies) > 0
}

// constrained computes the intersection with the user-initial-policy-set.
func (g *policyGraph) constrained(initial []string) []string {
	if g.null() {
		return nil
	}
	// The valid_policy_node_set: the policies that the authorities at the top named, which are those that the user
	// knows.
	wanted := len(initial) == 0 || slices.Contains(initial, anyPolicy)
	last := len(g.levels) - 1
	found := map[string]bool{}
	for depth := 1; depth <= last; depth++ {
		for _, node := range g.levels[depth] {
			if node.policy == anyPolicy {
				if depth == last {
					found[anyPolicy] = true
				}
				continue
			}
			if len(node.parents) == 1 && node.parents[0].policy == anyPolicy {
				found[node.policy] = true
			}
		}
	}
	if wanted {
		return slices.Sorted(maps.Keys(found))
	}
	var out []string
	for _, p := range initial {
		// With anyPolicy at the end of the path every wanted policy holds; otherwise it must be among those found.
		if (found[p] || found[anyPolicy]) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// policiesSound bounds the work for a certificate: RFC 9618, 4.1 tells how the tree of RFC 5280 blows up.
func policiesSound(c *Certificate) bool {
	return len(c.policies.ids) <= limits.CertificatePolicies && len(c.mappings) <= limits.CertificatePolicies
}
