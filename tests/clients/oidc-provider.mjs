// An OpenID Provider for the tests: node-oidc-provider, with the pages that it brings along.
// Says where it listens, and then answers until it is stopped.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { redirect_uri, client } = JSON.parse(process.argv[2]);
const server = createServer((request, response) => handle(request, response));
let handle;

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ redirect_uris: [redirect_uri], ...client }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name'] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@acme.example`,
        email_verified: true,
        name: `The ${id}`,
        given_name: id,
      }),
    }),
  });
  provider.on('server_error', (_, error) => console.error(error));
  handle = provider.callback();
  console.log(JSON.stringify({ issuer }));
});
