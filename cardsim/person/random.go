package person

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"
)

// Random makes up a person who is 18 to 95 years old at a time, at random from a seed: the same seed and day give the
// same person, with this release of the package and with every later one. About one in four has something unusual: a
// character that certificates cannot have, a single or a foreign name, a former family name, an incomplete date of
// birth. Times before 1970 count as 1970.
//
// The card of a seed has the keys of that seed, and the individual number is one of 10⁹, so two of a few thousand seeds
// may have the same number.
func Random(seed string, at time.Time) Person {
	d := dice{state: sha256.Sum256([]byte("kakunin random person " + seed))}
	if epoch := time.Unix(0, 0); at.Before(epoch) {
		at = epoch
	}
	description := d.person(seed, at.In(jst()))
	p, err := description.Person()
	if err != nil {
		panic("cardsim: every draw is a valid person: " + err.Error())
	}
	return p
}

// dice is a deterministic source of small numbers: SHA-256 chained. It is slow, and stays the same for ever, which
// math/rand does not promise for numbers below a bound.
type dice struct{ state [sha256.Size]byte }

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	d.state = sha256.Sum256(d.state[:])
	return int(binary.BigEndian.Uint64(d.state[:]) % uint64(n))
}

func (d *dice) of(choices string) string {
	list := strings.Fields(choices)
	return list[d.below(len(list))]
}

// Names are common ones, and streets begin with 架空 (fictitious).
const (
	familyNames      = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 濵田 桒原 髙木 山﨑 德永 瀨戸"
	givenNamesMale   = "太郎 一郎 健 翔 蓮 大翔 悠真 湊 誠 修 進 茂 実 清 博 隆 剛 拓也 直樹 慎太郎"
	givenNamesFemale = "花子 葵 陽菜 凛 結衣 さくら 美咲 恵 久美子 幸子 和子 千代 キヨ 真由美 裕子 明日香 菜々子 すみれ"
	latinFamilies    = "NGUYEN SMITH KIM MULLER SANTOS SILVA TAMANG WANG O'NEILL"
	latinGiven       = "VAN ANH MARIA JOSE JOHN PAUL MIN SU HANS PETER ANA LUCIA BISHAL"
	blocks           = "架空町 架空台 字架空 架空 大字架空"
)

func (d *dice) person(seed string, at time.Time) Description {
	municipalities := Municipalities()
	out := Description{
		ID:           "random-" + seed,
		Municipality: municipalities[d.below(len(municipalities))],
		Gender:       d.of("1 1 1 2 2 2 1 2 1 2 3"),
		Street: d.of(blocks) + fullWidth(
			d.of("1 2 3 4 5 6 7 8")+"-"+d.of("1 3 7 12 18 24")+"-"+d.of("1 2 5 9 10 301 1204")),
	}
	given := givenNamesFemale
	if out.Gender == "1" {
		given = givenNamesMale
	}
	out.Family, out.Given = d.of(familyNames), d.of(given)
	birth := at.AddDate(-18-d.below(77), 0, -d.below(366))
	out.Birth = Birth{Gregorian, birth.Year(), birth.Month(), birth.Day()}
	switch d.below(40) {
	case 0:
		out.Birth.Day = 0
	case 1:
		out.Birth.Month, out.Birth.Day = 0, 0
	case 2:
		out.Family = ""
	case 3, 4:
		out.Family, out.Given, out.Latin = "", "", d.of(latinFamilies)+" "+d.of(latinGiven)+" "+d.of(latinGiven)
	case 5:
		out.FormerFamily = d.of(familyNames)
	}
	return out
}
