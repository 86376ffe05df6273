// The rows of the table in roles.bicep that are about one AI resource.
param name string
param grants array

resource account 'Microsoft.CognitiveServices/accounts@2025-09-01' existing = {
  name: name
}

resource accountGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in grants: {
  scope: account
  name: guid(account.id, grant.who, grant.role)
  properties: {
    principalId: grant.who
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
    description: grant.why
  }
}]
