// Another implementation beside ours: node outside.cjs verify|issue < JSON > JSON. Binary values are hexadecimal.
const { Verifier, Document, DeviceResponse, MDoc } = require('@auth0/mdl');
const fs = require('fs');

const bytes = (hex) => Buffer.from(hex, 'hex');
const input = JSON.parse(fs.readFileSync(0, 'utf8'));

async function verify() {
  const options = { encodedSessionTranscript: bytes(input.transcript) };
  const response = await new Verifier([input.anchor]).verify(bytes(input.response), options);
  const elements = {};
  for (const [space, items] of Object.entries(response.documents[0].issuerSigned.nameSpaces)) {
    for (const item of items) elements[`${space}/${item.elementIdentifier}`] = item.elementValue;
  }
  return { docType: response.documents[0].docType, elements };
}

async function issue() {
  const document = await Object.entries(input.elements)
    .reduce((d, [space, values]) => d.addIssuerNameSpace(space, values), new Document(input.docType))
    .useDigestAlgorithm('SHA-256')
    .addValidityInfo({ signed: new Date(Math.floor(Date.now() / 1000) * 1000) })
    .addDeviceKeyInfo({ deviceKey: input.devicePublic })
    .sign({ issuerPrivateKey: input.issuerPrivate, issuerCertificate: input.certificate, alg: 'ES256' });
  const fields = Object.entries(input.elements)
    .flatMap(([space, values]) => Object.keys(values).map((name) => ({ path: [`$['${space}']['${name}']`], intent_to_retain: false })));
  const response = await DeviceResponse.from(new MDoc([document]))
    .usingPresentationDefinition({ id: 'all', input_descriptors: [{ id: input.docType, constraints: { fields } }] })
    .usingSessionTranscriptBytes(bytes(input.transcript))
    .authenticateWithSignature(input.devicePrivate, 'ES256')
    .sign();
  return { response: Buffer.from(response.encode()).toString('hex') };
}

({ verify, issue })[process.argv[2]]()
  .then((output) => console.log(JSON.stringify(output)))
  .catch((error) => { console.error(String(error)); process.exit(1); });
