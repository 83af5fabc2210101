package main

import (
	"github.com/kakunin-go/kakunin"
)

// text is a text in both languages.
type text struct{ ja, en string }

func (t text) in(l kakunin.Language) string {
	if l == kakunin.Japanese {
		return t.ja
	}
	return t.en
}

func wordOf(words map[string]text, key string, l kakunin.Language) string { return words[key].in(l) }

var (
	wordValid       = text{"有効です", "VALID"}
	wordNotValid    = text{"有効ではありません", "NOT VALID"}
	wordTime        = text{"検証時刻", "Time"}
	wordReason      = text{"理由", "Reason"}
	wordPath        = text{"証明書の経路（0 は信頼する認証局）", "Path (0 is the trusted authority)"}
	wordTarget      = text{"（検証した証明書）", "(the certificate itself)"}
	wordUnsigned    = text{"（署名を検証していない証明書）", "(its signature was not verified)"}
	wordSteps       = text{"検査項目", "Checks"}
	wordRevocation  = text{"失効状況 証明書", "Revocation of certificate"}
	wordPolicies    = text{"経路全体で成り立つポリシー", "Policies of the whole path"}
	wordPurposes    = text{"証明書の用途（用途に合うかは判定していません）", "Purposes of the certificate (not judged)"}
	wordCertificate = text{"証明書", "certificate"}
	wordReading     = text{"失効リストを読んでいます", "Reading the revocation list"}
	wordIndexing    = text{"索引を作っています", "Making the index"}
)

// statusWords are those of revocation.Status.
var statusWords = map[string]text{
	"unknown": {"不明", "unknown"},
	"good":    {"失効していない", "good"},
	"revoked": {"失効", "revoked"},
	"hold":    {"一時停止中", "on hold"},
}

// stepWords explain the checks by their names.
var stepWords = map[string]text{
	"anchor.critical-extensions": {"信頼する認証局の重要な拡張", "the critical extensions of the trusted authority are understood"},
	"anchor.validity":            {"信頼する認証局の有効期間", "the trusted authority is within its validity"},
	"path.serial":                {"シリアル番号が正の数", "the serial number is positive"},
	"path.issuer-name":           {"発行者名が一致", "it names its issuer"},
	"path.algorithm":             {"署名アルゴリズムが認められている", "the signature algorithm is accepted"},
	"path.key":                   {"鍵の長さが十分", "the key is strong enough"},
	"path.signature":             {"発行者の署名を検証", "the issuer's signature verifies"},
	"path.not-before":            {"有効期間が始まっている", "its validity has begun"},
	"path.not-after":             {"有効期間内", "its validity has not ended"},
	"path.name-constraints":      {"名前の制約を満たす", "its names are those that the authorities may certify"},
	"path.policy-qualifiers":     {"ポリシー修飾子を解釈できる", "its policy qualifiers are understood"},
	"path.policy-limit":          {"ポリシーの数が上限以内", "the number of policies is within the limit"},
	"path.explicit-policy":       {"求められるポリシーが残っている", "a policy is left if one is required"},
	"path.policy-mappings":       {"ポリシーの対応付けが正しい", "anyPolicy is not mapped"},
	"path.basic-constraints":     {"認証局の証明書である", "it is an authority"},
	"path.path-length":           {"経路の長さが制限以内", "the path is no longer than allowed"},
	"path.key-usage":             {"証明書への署名が認められている", "it may sign certificates"},
	"path.critical-extensions":   {"重要な拡張をすべて解釈できる", "every critical extension is understood"},
	"path.policy-set":            {"認められるポリシーが成り立つ", "an acceptable policy holds"},
	"path.issuer":                {"信頼する認証局までつながる", "it leads to a trusted authority"},
	"path.search":                {"経路の探索が上限以内", "the search stayed within its limits"},
	"revocation.status":          {"失効していない", "it is not revoked"},
	"revocation.absent":          {"失効情報がないため確認していない", "not checked, because there is no revocation data"},
	"revocation.skipped":         {"失効の確認を省略", "revocation was not checked"},
	"crl.issuer":                 {"失効リストの発行者が一致", "the list is by the issuer that the certificate names"},
	"crl.distribution-point":     {"配布点が一致", "the list is for the certificate's distribution point"},
	"crl.scope":                  {"リストの対象に含まれる", "the list is for this kind of certificate"},
	"crl.reasons":                {"新たな失効理由を含む", "the list covers reasons that are still open"},
	"crl.freshness":              {"検証時刻に有効なリスト", "the list is current at the time"},
	"crl.signer":                 {"リストの署名者と署名を検証", "the list's signer has a path and its signature verifies"},
	"crl.delta":                  {"差分リストを適用", "a delta list was applied"},
	"crl.entry":                  {"リストに載っていない", "the certificate is not on the list"},
}
