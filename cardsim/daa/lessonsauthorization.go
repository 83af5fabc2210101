package daa

// authorizationLessons are about the authorization endpoint.
var authorizationLessons = map[string]lesson{
	"state must be 1 to 255 printable ASCII characters": {
		"stateは1〜255文字の印字可能なASCII文字にしてください", "published reference; RFC 6749, section 4.1.1",
		"要求ごとに新しい乱数をbase64urlにしてstateで送る",
		"send a fresh random state in base64url with every request",
	},
	"nonce must be 1 to 255 printable ASCII characters": {
		"nonceは1〜255文字の印字可能なASCII文字にしてください", "published reference; OpenID Connect Core 1.0, section 3.1.2.1",
		"要求ごとに新しい乱数をnonceで送り、IDトークンのnonceと比べる",
		"send a fresh random nonce with every request and compare it with the ID token's",
	},
	"response_type is required": {
		"response_typeがありません", "RFC 6749, section 4.1.1",
		"response_type=codeを送る",
		"send response_type=code",
	},
	"only code is supported": {
		"response_typeはcodeだけに対応しています", "published reference",
		"response_type=codeを送る",
		"send response_type=code",
	},
	"code_challenge_method must be S256": {
		"code_challenge_methodはS256にしてください", "published reference; RFC 7636, section 4.3",
		"code_challenge_method=S256を送る",
		"send code_challenge_method=S256",
	},
	"code_challenge must be the unpadded base64url SHA-256 of the verifier": {
		"code_challengeは、verifierのSHA-256をパディングなしのbase64urlにしたものにしてください", "RFC 7636, section 4.2",
		"verifierのSHA-256をパディングなしのbase64urlにする(43文字)",
		"base64url, without padding, of the SHA-256 of the verifier: 43 characters",
	},
	"scope is required": {
		"scopeがありません", "OpenID Connect Core 1.0, section 3.1.2.1",
		"openidを含むscopeを送る",
		"send scope with openid",
	},
	"openid is mandatory": {
		"scopeにopenidがありません", "published reference",
		"scopeにopenidを加える",
		"add openid to scope",
	},
	"an unknown scope value was asked": {
		"知らないscopeの値があります", "published reference",
		"openid、name、address、birthdate、gender、signだけを、半角スペース1つで区切って送る",
		"ask for openid, name, address, birthdate, gender and sign only, separated by single spaces",
	},
	"a scope value was asked twice": {
		"同じscopeの値が2回あります", "published reference",
		"scopeの値はそれぞれ1回だけ書く",
		"name each scope once",
	},
	"a parameter occurs more than once": {
		"同じパラメーターが2回以上あります", "RFC 6749, section 3.1",
		"パラメーターはそれぞれ1回だけ送る",
		"send each parameter once",
	},
	"the sign scope and a signature transaction need each other": {
		"scopeのsignと署名トランザクションは、両方そろっている必要があります", "published reference",
		"scopeのsignとsign_transaction_idを両方送るか、両方送らない",
		"send the scope sign and sign_transaction_id together, or neither",
	},
	"no open signature transaction of this client has this id": {
		"このクライアントの有効な署名トランザクションに、このIDのものはありません", "",
		"このクライアント自身のclient_credentialsトークンでトランザクションを開始し、期限内に1回だけ使う",
		"start a transaction with this client's own client_credentials token, and use it once before it expires",
	},
	"the card is needed": {
		"カードによる認証が必要です", "OpenID Connect Core 1.0, section 3.1.2.1",
		"prompt=noneを送らない。認証には毎回カードが必要",
		"do not send prompt=none: every authentication needs the card",
	},
	"the website is not registered": {
		"ウェブサイトが登録されていません", "RFC 6749, section 4.1.2.1",
		"client_idを登録するか、正しい値に直す",
		"register the client_id, or correct it",
	},
	"redirect_uri is not exactly a registered one": {
		"redirect_uriが、登録されたものと完全には一致しません", "RFC 6749, section 3.1.2.3; RFC 9700, section 4.1.3",
		"このredirect_uriを登録するか、登録済みのものを送る。スキーム・ホスト・ポート・パス・末尾のスラッシュまで同じにする",
		"register this redirect_uri, or send a registered one: same scheme, host, port, path and final slash",
	},
	"request is not supported": {
		"requestには対応していません", "OpenID Connect Core 1.0, section 6",
		"requestを使わず、パラメーターをクエリーで送る",
		"send the parameters in the query, without request",
	},
	"request_uri is not supported": {
		"request_uriには対応していません", "OpenID Connect Core 1.0, section 6",
		"request_uriを使わず、パラメーターをクエリーで送る",
		"send the parameters in the query, without request_uri",
	},
	"registration is not supported": {
		"registrationには対応していません", "OpenID Connect Core 1.0, section 7.2.1",
		"registrationを送らない",
		"leave registration out",
	},
	"response_mode is not supported": {
		"このresponse_modeには対応していません", "published reference",
		"response_modeを送らないか、response_mode=queryを送る",
		"leave response_mode out, or send response_mode=query",
	},
	"acr_values must be printable ASCII": {
		"acr_valuesは印字可能なASCII文字にしてください", "OpenID Connect Core 1.0, section 3.1.2.1",
		"acr_valuesを255文字以内の印字可能なASCII文字にするか、送らない",
		"send acr_values of at most 255 printable ASCII characters, or none",
	},
	"the signature transaction id is not a UUID": {
		"署名トランザクションのIDがUUIDではありません", "published reference",
		"トランザクションの開始で返されたIDをそのまま送る",
		"send the id that the start of the transaction answered",
	},
}
