package certpath

import (
	"encoding/asn1"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kakunin-go/kakunin/internal/limits"
	"github.com/kakunin-go/kakunin/internal/tests"
	"github.com/kakunin-go/kakunin/jpki/internal/names"
)

// treeNode and policyTree are the valid_policy_tree of RFC 5280, 6.1, written down as the text has it and without any
// care for size. RFC 9618 promises that its graph decides the same.
type treeNode struct {
	policy   string
	expected []string
	parent   *treeNode
	children []*treeNode
}

type policyTree struct {
	root                          *treeNode
	explicit, mapping, inhibitAny int
}

func (t *policyTree) at(depth int) []*treeNode {
	if t.root == nil {
		return nil
	}
	level := []*treeNode{t.root}
	for range depth {
		var next []*treeNode
		for _, n := range level {
			next = append(next, n.children...)
		}
		level = next
	}
	return level
}

// prune removes childless nodes above the depth.
func (t *policyTree) prune(depth int) {
	for d := depth - 1; d >= 0; d-- {
		for _, n := range t.at(d) {
			if len(n.children) > 0 {
				continue
			}
			if n.parent == nil {
				t.root = nil
				return
			}
			n.parent.children = slices.DeleteFunc(n.parent.children, func(c *treeNode) bool { return c == n })
		}
	}
}

func (n *treeNode) add(policy string, expected ...string) {
	n.children = append(n.children, &treeNode{policy: policy, expected: expected, parent: n})
}

func (t *policyTree) certificate(c *Certificate, i int, final bool) {
	if !c.policies.present {
		t.root = nil
	}
	if t.root == nil {
		return
	}
	above := t.at(i - 1)
	hasAny := false
	for _, p := range c.policies.ids { // (d)(1)
		if p == anyPolicy {
			hasAny = true
			continue
		}
		matched := false
		for _, n := range above {
			if slices.Contains(n.expected, p) {
				n.add(p, p)
				matched = true
			}
		}
		if matched {
			continue
		}
		for _, n := range above {
			if n.policy == anyPolicy {
				n.add(p, p)
			}
		}
	}
	if hasAny && (t.inhibitAny > 0 || !final && c.selfIssued()) { // (d)(2)
		for _, n := range above {
			for _, p := range n.expected {
				if !slices.ContainsFunc(n.children, func(c *treeNode) bool { return c.policy == p }) {
					n.add(p, p)
				}
			}
		}
	}
	t.prune(i) // (d)(3)
}

func (t *policyTree) mappings(list []mapping, i int) {
	subjects := map[string][]string{}
	for _, m := range list {
		subjects[m.issuer] = append(subjects[m.issuer], m.subject)
	}
	for issuer, mapped := range subjects {
		if t.mapping > 0 {
			found := false
			for _, n := range t.at(i) {
				if n.policy == issuer {
					n.expected, found = mapped, true
				}
			}
			if !found {
				for _, n := range t.at(i) {
					if n.policy == anyPolicy {
						n.parent.add(issuer, mapped...)
						break
					}
				}
			}
			continue
		}
		for _, n := range t.at(i) {
			if n.policy == issuer {
				n.parent.children = slices.DeleteFunc(n.parent.children, func(c *treeNode) bool { return c == n })
			}
		}
		t.prune(i)
	}
}

// intersect is RFC 5280, 6.1.5 (g).
func (t *policyTree) intersect(n int, initial []string) {
	if t.root == nil || len(initial) == 0 {
		return
	}
	var set []*treeNode // valid_policy_node_set
	for d := range n {
		for _, node := range t.at(d) {
			if node.policy == anyPolicy {
				set = append(set, node.children...)
			}
		}
	}
	names := map[string]bool{}
	for _, node := range set {
		names[node.policy] = true
		if node.policy != anyPolicy && !slices.Contains(initial, node.policy) {
			node.parent.children = slices.DeleteFunc(node.parent.children, func(c *treeNode) bool { return c == node })
		}
	}
	for _, node := range t.at(n) {
		if node.policy != anyPolicy {
			continue
		}
		for _, p := range initial {
			if !names[p] {
				node.parent.add(p, p)
			}
		}
		node.parent.children = slices.DeleteFunc(node.parent.children, func(c *treeNode) bool { return c == node })
	}
	t.prune(n)
}

// TestGraphDecidesLikeTheTree compares the graph of RFC 9618 with the tree of RFC 5280 on random paths.
func TestGraphDecidesLikeTheTree(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	policies := []string{anyPolicy, "1", "2", "3"}
	pick := func(from []string) []string {
		var out []string
		for _, p := range from {
			if random.IntN(2) == 0 {
				out = append(out, p)
			}
		}
		return out
	}
	valid := 0
	for round := range tests.Size(6000, 30_000) {
		n := 1 + random.IntN(4)
		var path []*Certificate
		for i := range n {
			c := veiled(&certificate{
				inhibitAny: -1, subject: &names.Name{Key: fmt.Sprint(i)},
				issuer: &names.Name{Key: fmt.Sprint(i + random.IntN(2))},
			})
			c.policies.present = random.IntN(12) > 0
			c.policies.ids = pick(policies)
			c.policyConstraints.requireExplicit, c.policyConstraints.inhibitMapping = random.IntN(8)-5, random.IntN(8)-5
			c.inhibitAny = random.IntN(8) - 5
			if random.IntN(2) == 0 {
				for range random.IntN(4) {
					c.mappings = append(c.mappings, mapping{policies[1+random.IntN(3)], policies[1+random.IntN(3)]})
				}
			}
			path = append(path, c)
		}
		flags := [3]bool{random.IntN(2) == 0, random.IntN(4) == 0, random.IntN(4) == 0}
		initial := pick(policies[1:])
		graph := newPolicyGraph(n, flags[0], flags[1], flags[2])
		tree := &policyTree{root: &treeNode{policy: anyPolicy, expected: []string{anyPolicy}}, explicit: graph.explicit,
			mapping: graph.mapping, inhibitAny: graph.inhibitAny}
		graphOK, treeOK := true, true
		for i, c := range path {
			final := i == n-1
			graph.certificate(c, final)
			tree.certificate(c, i+1, final)
			graphOK = graphOK && (graph.explicit > 0 || !graph.null())
			treeOK = treeOK && (tree.explicit > 0 || tree.root != nil)
			if !final {
				graph.mappings(c.mappings)
				graph.next(c)
				tree.mappings(c.mappings, i+1)
				tree.explicit, tree.mapping, tree.inhibitAny = graph.explicit, graph.mapping, graph.inhibitAny
			}
		}
		_, ok := graph.finish(path[n-1], initial)
		tree.explicit = graph.explicit
		tree.intersect(n, initial)
		treeOK = treeOK && (tree.explicit > 0 || tree.root != nil)
		if graphOK = graphOK && ok; graphOK != treeOK {
			t.Fatalf("round %d: graph %v, tree %v: flags %v, initial %q", round, graphOK, treeOK, flags, initial)
		}
		if graphOK && flags[0] {
			valid++
		}
	}
	if valid < 100 {
		t.Errorf("only %d paths were valid with an explicit policy: the test says little", valid)
	}
}

// RFC 9618, 4.1: every authority has all policies and maps each to every other one, so that the tree of RFC 5280 has
// nodes without number. The graph has as many as there are policies, at each depth.
func TestPolicyBlowUp(t *testing.T) {
	const policies, depth = 20, limits.PathDepth - 2
	var ids []asn1.ObjectIdentifier
	for i := range policies {
		ids = append(ids, asn1.ObjectIdentifier{1, 2, 3, i})
	}
	var pairs [][]byte
	for _, a := range ids {
		for _, b := range ids {
			pairs = append(pairs, seq(oidDER(a...), oidDER(b...)))
		}
	}
	anchor := rootOf(t, "N0")
	var pool []*Certificate
	for i := 1; i <= depth; i++ {
		pool = append(pool, caSpec(fmt.Sprintf("N%d", i), fmt.Sprintf("N%d", i), fmt.Sprintf("N%d", i-1),
			fmt.Sprintf("N%d", i-1)).
			with(policiesExt(ids...), extDER(oidPolicyMappings, true, seq(pairs...))).cert(t))
	}
	leaf := leafSpec("EE", fmt.Sprintf("N%d", depth), fmt.Sprintf("N%d", depth)).with(policiesExt(ids...)).cert(t)
	c := testConfig([]*Certificate{anchor}, pool...)
	c.RequireExplicitPolicy, c.Policies = true, ids[:1]
	// Twenty mappings of twenty policies are 400 pairs: within the limit. The tree would have 20^14 leaves.
	result, err := validate(t, c, leaf, At(noon().Add(time.Minute)))
	wantReason(t, err, ReasonUnknown)
	if len(result.Policies) != 1 {
		t.Errorf("policies %v", result.Policies)
	}
	// More policies in one certificate than anybody uses.
	var many []asn1.ObjectIdentifier
	for i := range limits.CertificatePolicies + 1 {
		many = append(many, asn1.ObjectIdentifier{1, 2, 3, i})
	}
	_, err = validate(t, testConfig([]*Certificate{anchor}),
		leafSpec("EE", "N0", "N0").with(policiesExt(many...)).cert(t))
	wantReason(t, err, ReasonLimit)
}
