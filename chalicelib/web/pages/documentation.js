// Shows the contract by Swagger UI, which comes with the service and asks nobody else.

// Requests that can be tried begin with what is required alone: the examples of all parameters together would ask for
// nothing that there is. They stand in the descriptions instead.
function withoutOptionalExamples(contract) {
  for (const operations of Object.values(contract.paths)) {
    delete operations.head; // as GET, and twice as long a list
    for (const operation of Object.values(operations)) {
      for (const parameter of operation.parameters ?? []) {
        if (parameter.required || parameter.example === undefined) continue;
        parameter.description += ` Example: \`${[parameter.example].flat().join(",")}\`.`;
        delete parameter.example;
      }
    }
  }
  return contract;
}

async function show() {
  const response = await fetch("v1/openapi.json");
  if (!response.ok) throw new Error(`The contract cannot be read: ${response.status}.`);
  const contract = withoutOptionalExamples(await response.json());
  contract.servers = [{ url: document.baseURI.replace(/\/$/, "") }];
  SwaggerUIBundle({
    spec: contract,
    domNode: document.getElementById("documentation"),
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    syntaxHighlight: false,
    validatorUrl: null,
  });
}

show().catch(error => { document.getElementById("documentation").textContent = error.message; });
