// What is read from the AI resources, made here or brought. The first one also speaks: Speech, and the apology of ACS.
param names array

resource accounts 'Microsoft.CognitiveServices/accounts@2025-09-01' existing = [for name in names: {
  name: name
}]

output subdomains array = [for i in range(0, length(names)): accounts[i].properties.customSubDomainName]
output speechRegion string = accounts[0].location
output speechResourceId string = accounts[0].id
output speechEndpoint string = 'https://${accounts[0].properties.customSubDomainName}.cognitiveservices.azure.com'
